"""Recurrences in print: a loop over the steps, times as subscripts, backpropagation through time as textbooks have it."""

import derive as dv
import sequences

RNN = """\
h_0 = h0
for t = 0, …, T−1:
  z_t = U x_t + W h_t + b
  h_{t+1} = tanh(z_t)
gh_T = gY_{T−1}
for t = T−1, …, 0:
  gz_t = gh_{t+1} ∘ (1 − h_{t+1}²)
  gh_t = W' gz_t + [t > 0] gY_{t−1}
gW = sum_t gz_t h_t'
gU = sum_t gz_t x_t'
gb = sum_t gz_t
gh0 = gh_0"""

LSTM = """\
for t = T−1, …, 0:
  gr_t = gh_{t+1} ∘ o_t ∘ t9_t ∘ (1 − o_t)
  gv_t = gc_{t+1} ∘ i_t ∘ (1 − g_t²)
  gu_t = gc_{t+1} ∘ f_t ∘ c_t ∘ (1 − f_t)
  gz_t = gc_{t+1} ∘ i_t ∘ g_t ∘ (1 − i_t)
  gh_t = R[3]' gr_t + R[2]' gv_t + R[1]' gu_t + R[0]' gz_t + [t > 0] gY_{t−1}
  gc_t = gc_{t+1} ∘ f_t + [t ≥ 1] (gh_t ∘ o_{t−1} ∘ (1 − tanh(c_t)²))
"""

REVERSE = """\
gh_0 = gY_0
for t = 0, …, T−1:
"""


def traced(name: str) -> dv.Function:
    return dv.trace(getattr(sequences, name), **sequences.SHAPES[name])


def test_backpropagation_through_time() -> None:
    assert str(dv.vjp(traced("rnn"), ["W", "U", "b", "h0"])) == RNN


def test_a_forward_pass_is_a_loop() -> None:
    expected = "h_0 = h0\nfor t = 0, …, T−1:\n  h_{t+1} = tanh(U x_t + W h_t + b)\nY_t = h_{t+1}"
    assert str(traced("rnn")) == expected


def test_the_gates_of_an_lstm() -> None:
    assert LSTM in str(dv.vjp(traced("lstm")))


def test_what_runs_backward_has_an_adjoint_that_runs_forward() -> None:
    assert REVERSE in str(dv.vjp(traced("reverse_rnn"), ["W"]))


def test_index_notation_has_one_line_for_each_equation() -> None:
    assert "h[t,i] = where(t = 0, h0[i], tanh(z[t-1,i]))" in dv.vjp(traced("rnn"), ["W", "b"]).index()


def test_two_loops_have_two_heads_and_inner_loops_are_indented() -> None:
    assert str(traced("stacked_rnn")).count("for t = 0, …, T−1:") == 2
    lines = str(traced("nested")).splitlines()
    assert "for t = 0, …, T−1:" in lines
    assert "  for s = 0, …, S−1:" in lines


def test_latex() -> None:
    text = dv.vjp(traced("rnn"), ["W", "b"]).latex()
    assert r"& \text{for } t=T-1,\dots,0\text{:}" in text.replace("T - 1", "T-1")
    assert r"\quad \bar{z}_{t} &= " in text


def test_the_derivation_is_explained() -> None:
    backward = dv.vjp(traced("rnn"), ["W", "b"])
    text = backward.explain()
    assert "gz: T × n, the cotangent of z" in text
    assert "h_t is the slice of h at step t" in text
    assert "    for t = T−1, …, 0:\n" in text.replace("  for", "    for")
    assert "for </mtext>" in backward.explain("html")
    assert r"\text{for } t=" in backward.explain("latex")
