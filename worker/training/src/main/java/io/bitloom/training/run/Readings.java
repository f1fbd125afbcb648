package io.bitloom.training.run;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * Numbers that a step leaves where it is computed, to be read all at once: every read waits until a
 * GPU has done what was queued, and with nothing queued it stands still.
 */
public final class Readings implements AutoCloseable {
  private final List<Tensor> tensors = new ArrayList<>();
  private final List<Consumer<double[]>> takers = new ArrayList<>();

  /**
   * Notes a tensor, whose elements must stay as they are until they are read.
   *
   * @param taker gets the elements, row by row
   */
  public void add(Tensor tensor, Consumer<double[]> taker) {
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard()) {
      tensors.add(Scope.own(Tensors.to(tensor.detach().reshape(-1), DType.F64)));
    }
    takers.add(taker);
  }

  /** How many numbers there are. */
  public int count() {
    return Math.toIntExact(tensors.stream().mapToLong(Tensor::numel).sum());
  }

  /** Reads all numbers: the one time that a step waits for its device. */
  public double[] read() {
    if (tensors.isEmpty()) {
      return new double[0];
    }
    try (Scope scope = Scope.open()) {
      return Tensors.doubles(Tensors.concat(tensors, 0));
    }
  }

  /** Hands numbers out to their takers, in the order in which they were noted. */
  public void deliver(double... numbers) {
    int from = 0;
    for (int i = 0; i < takers.size(); i++) {
      int to = from + Math.toIntExact(tensors.get(i).numel());
      takers.get(i).accept(Arrays.copyOfRange(numbers, from, to));
      from = to;
    }
  }

  @Override
  public void close() {
    tensors.forEach(Tensor::close);
    tensors.clear();
    takers.clear();
  }
}
