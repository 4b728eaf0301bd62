"""Matrix products that accumulate, scale, and read and write parts of arrays without copies: the library's xGEMM itself."""

from __future__ import annotations

GEMM = '''
@intrinsic
def blas_gemm(typing, turn_a, turn_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
    """C = alpha op(A) op(B) + beta C by BLAS, which takes columns for rows; op turns a matrix where it is 1."""

    def code(context, builder, signature, arguments):
        kinds = signature.args
        real = context.get_value_type(kinds[11].dtype)
        byte, place = ir.IntType(8), ir.IntType(8).as_pointer()

        def data(p):
            array = context.make_array(kinds[p])(context, builder, arguments[p])
            return builder.bitcast(array.data, place)

        def number(p):
            value = context.cast(builder, arguments[p], kinds[p], kinds[11].dtype)
            return builder.bitcast(cgutils.alloca_once_value(builder, value), place)

        def letter(p):
            return builder.select(
                builder.icmp_signed("==", arguments[p], arguments[p].type(1)),
                byte(84),
                byte(78),
            )

        kind = byte(115 if real == ir.FloatType() else 100)
        m, n, k, lda, ldb, ldc = (arguments[p] for p in (2, 3, 4, 7, 9, 12))
        values = [kind, letter(0), letter(1), m, n, k, number(5), data(6), lda]
        values += [data(8), ldb, number(10), data(11), ldc]
        kind = ir.FunctionType(ir.IntType(32), [value.type for value in values])
        name = "numba_xxgemm"
        function = cgutils.get_or_insert_function(builder.module, kind, name)
        return builder.call(function, values)

    given = turn_a, turn_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc
    return types.int32(*given), code


@njit(cache=True, error_model="numpy", fastmath=False)
def gemm(alpha, A, B, beta, C):
    """C = alpha A B + beta C; rows or columns of each matrix lie in one piece, those of C rows.

    What C holds counts for nothing where beta is 0.
    """
    rows, columns = C.shape
    bound = A.shape[1]
    if rows == 0 or columns == 0:
        return
    if bound == 0:
        for i in range(rows):
            for j in range(columns):
                C[i, j] = alpha * 0.0 + (C[i, j] if beta != 0.0 else 0.0)
        return
    size = C.itemsize
    turn_a, turn_b = np.intp(0), np.intp(0)
    lda, ldb = max(A.strides[0] // size, bound), max(B.strides[0] // size, columns)
    if A.strides[1] != size and bound > 1:
        turn_a, lda = np.intp(1), max(A.strides[1] // size, rows)
    if B.strides[1] != size and columns > 1:
        turn_b, ldb = np.intp(1), max(B.strides[1] // size, bound)
    ldc = max(C.strides[0] // size, columns)
    blas_gemm(turn_b, turn_a, columns, rows, bound, alpha, B, ldb, A, lda, beta, C, ldc)
'''
