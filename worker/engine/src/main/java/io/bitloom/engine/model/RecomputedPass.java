package io.bitloom.engine.model;

import io.bitloom.engine.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;

/**
 * A teacher-forced pass that keeps one tensor per block and recomputes a block's activations when
 * its gradients are due. Take a loss of {@link #logits()}, call {@code backward()} on it, then
 * {@link #backward()} here. The tensors belong to the scope that was open at the start.
 */
public final class RecomputedPass {
  private final InfinityTransformer.TeacherForcing forcing;
  private final Block block;
  private final TextCondition leaves;
  private final List<Tensor> inputs = new ArrayList<>();
  private final Tensor last;
  private final Tensor logits;

  /** The i-th block on its input (B, L, C). */
  @FunctionalInterface
  interface Block {
    Tensor forward(int i, Tensor xBLC, TextCondition condition);
  }

  /** The head on the last block's output (B, L, C). */
  @FunctionalInterface
  interface LogitsOf {
    Tensor apply(Tensor xBLC, TextCondition condition);
  }

  RecomputedPass(
      InfinityTransformer.TeacherForcing forcing, int depth, Block block, LogitsOf head) {
    this.forcing = forcing;
    this.block = block;
    this.leaves = leaves(forcing.condition());
    try (NoGradGuard noGradients = new NoGradGuard()) {
      Tensor x = forcing.startBLC();
      for (int i = 0; i < depth; i++) {
        inputs.add(x);
        x = block.forward(i, x, leaves);
      }
      last = leaf(x);
    }
    last.requires_grad_(true);
    logits = head.apply(last, leaves);
  }

  /** The logits (B, L, V). */
  public Tensor logits() {
    return logits;
  }

  /** Carries the gradients on from the head to all parameters; call it once. */
  public void backward() {
    Tensor gradient = last.grad();
    for (int i = inputs.size() - 1; i >= 0; i--) {
      try (Scope scope = Scope.open()) {
        Tensor input = leaf(inputs.get(i));
        backward(block.forward(i, input, leaves), gradient);
        gradient = scope.keep(input.grad());
      }
    }
    TextCondition text = forcing.condition();
    List<Tensor> products = new ArrayList<>(); // the gradient of Σ x·g is g
    if (forcing.startBLC().requires_grad()) {
      products.add(forcing.startBLC().mul(gradient).sum());
    }
    carry(text.rowsNC(), leaves.rowsNC(), products);
    carry(text.pooledRC(), leaves.pooledRC(), products);
    if (text.sharedAdaR16C() != null) {
      carry(text.sharedAdaR16C(), leaves.sharedAdaR16C(), products);
    }
    products.stream().reduce(Tensor::add).ifPresent(Tensor::backward);
  }

  private static void carry(Tensor tensor, Tensor leaf, List<Tensor> products) {
    Tensor gradient = leaf.grad();
    if (gradient.defined() && tensor.requires_grad()) {
      products.add(tensor.mul(gradient).sum());
    }
  }

  private static void backward(Tensor output, Tensor gradient) {
    output.backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
  }

  private static TextCondition leaves(TextCondition text) {
    return new TextCondition(
        leaf(text.rowsNC()),
        text.texts(),
        leaf(text.pooledRC()),
        text.sharedAdaR16C() == null ? null : leaf(text.sharedAdaR16C()));
  }

  /** The same values as the end of the way back. */
  private static Tensor leaf(Tensor tensor) {
    return tensor.detach().requires_grad_(true);
  }
}
