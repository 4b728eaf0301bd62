"""Formulas and equations that are right, for tests that change them."""

MATRIXCALCULUS = (
    "0.5*x'*A*x",
    "A*exp(x)",
    "(y.*v)'*x",
    "a^b",
    "norm1(A*x-y)",
    "norm2(A*x-y)^2",
    "sum(log(exp(-y.*(X*w)) + vector(1)))",
    "tr(A*X'*B*X*C)",
    "log(det(inv(X)))",
)
"""The examples of matrixcalculus.org's documentation."""

FORMULAS = (
    *MATRIXCALCULUS,
    "0.5*x'*A*x - log(det(B))",
    "norm2(W*x + b*vector(1) - t)^2 / 2",
    "x'*diag(y)*x + sum(diag(A).^2)",
    "sum(relu(A*x)./(1 + abs(y)).^1.5, axis=0)",
    "(x > 0).*x + where(y <= 0, sin(y), y.^2) - max(x, 0.25)",
    "softmax(x')*y + pi*logsumexp(x)/2",
    "2.^x .* sigmoid(-x) - tanh(x)'*y",
    "A \\ x + inv(B)*y",
    "tr(A^3) + logdet(B'*B) - sum(sqrt(abs(X)))",
    "np.sum(np.tanh(X @ w + 1) ** 2, axis=0)",
    "X.T @ (X @ w - y) / X.shape[0]",
    "np.mean((Y - T) ** 2) + 1e-3*np.linalg.norm(w)**2",
    "np.einsum('ij,jk->ik', A, B) * np.exp(-X[:, None, 0] / 3)",
    "x[1:] - x[:-1] + np.maximum(y[:-1], 0.)",
    "np.where(X > 0, X, 0.01 * X).sum(axis=1, keepdims=True)",
    "np.reshape(x, (n, 1)) @ y.reshape(1, -1)",
    "exp(-(x - y)'*(x - y)/(2*s^2))/sqrt(2*pi)",
    "-sum(y.*log(softmax(z)))",
    "matrix(1)*A + x*vector(1)'",
    "grad(sum(G.*P), S)*K where P = softmax(S, axis=1); S = Q*K'/2",
    "vjp(y, x, g) + 2*x where y = tanh(A*x)\n A = B*B'",
    "np.sum(jacobian(h, k) @ k) where h = np.tanh(W @ k); k = np.exp(W @ x); W = V.T",
)

EQUATIONS = (
    "S[i,j] = sum_k Q[i,k]*K[j,k]/sqrt(d)\nM[i] = max_j S[i,j]\nE[i,j] = exp(S[i,j] - M[i])\nZ[i] = sum_j E[i,j]\n"
    "P[i,j] = E[i,j] / Z[i]\nO[i,l] = sum_j P[i,j] V[j,l]",
    "gE[tok[b,t],k] += gY[b,t,k]",
    "Y = -sum_i logP[i,y[i]] / batch",
    "gZ[i,j] = gY R[i,j] / (batch u[i]) - gY [j = y[i]] / batch",
    "Y[i,j] = where(j <= i and not(i = 2), X[i,j], -inf)\nZ = max_i,j Y[i,j]^2",
    "Y[i] = sum_k X[i+k] w[k] + b",
    "P[i] = exp(x[i]) / sum_j exp(x[j]); L = prod_i P[i]  # softmax",
    "c = max(2 a, min(b, 3))^(1 / 2) (1 - tanh(a))",
    "Y[i,j] = X[i,j] [i >= j] + 0.044715 X[i,j]^3 sqrt(2 / pi)",
    "Y[i] = sum_j,k A[i,j] B[j,k] x[k] - x[n - 1 - i] floor(n / 2)",
    "Z[i,k] = solve(A', B[:,k])[i]\nw[i] = eigh(A).eigenvalues[i]\nL = log(det(A)) / 2 + sum_i inv(A)[i,i]",
    "Y[p,i,j] = power(X[p,:,:], 3)[j,i]; s = slogdet(C).logabsdet",
)
