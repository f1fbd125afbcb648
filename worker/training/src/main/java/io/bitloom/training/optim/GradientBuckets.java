package io.bitloom.training.optim;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.training.distributed.Processes;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The gradients of parameters that several processes train, side by side in a few long tensors, for
 * which the processes need one message each instead of one for every small parameter. Backward
 * passes add to the gradients where they lie, so nothing is gathered and scattered in a step.
 */
public final class GradientBuckets implements AutoCloseable {
  private final Processes processes;
  private final List<Tensor> buckets = new ArrayList<>();

  /**
   * Puts gradients that are there side by side, and zeros for those that are not; a process on its
   * own leaves them as they are.
   */
  public GradientBuckets(Gradients gradients, Processes processes) {
    this(gradients, processes, processes.messageBytes());
  }

  /**
   * @param bytes that a bucket has at most, unless one gradient alone has more
   */
  GradientBuckets(Gradients gradients, Processes processes, long bytes) {
    this.processes = processes;
    if (processes.count() == 1) {
      return;
    }
    List<String> names = gradients.names();
    int from = 0;
    long held = 0;
    for (int i = 0; i < names.size(); i++) {
      long more = gradients.parameter(names.get(i)).nbytes();
      if (i > from && held > bytes - more) {
        buckets.add(bucket(gradients, names.subList(from, i)));
        from = i;
        held = 0;
      }
      held += more;
    }
    if (from < names.size()) {
      buckets.add(bucket(gradients, names.subList(from, names.size())));
    }
  }

  private static Tensor bucket(Gradients gradients, List<String> names) {
    try (Scope scope = Scope.open()) {
      List<Tensor> parameters = names.stream().map(gradients::parameter).toList();
      long numbers = parameters.stream().mapToLong(Tensor::numel).sum();
      Tensor bucket = parameters.get(0).detach().new_zeros(numbers);
      long offset = 0;
      for (Tensor parameter : parameters) {
        Tensor place = bucket.narrow(0, offset, parameter.numel()).view(parameter.shape());
        if (parameter.grad().defined()) {
          place.copy_(parameter.grad());
        }
        parameter.mutable_grad().put(place);
        offset += parameter.numel();
      }
      return Scope.own(bucket);
    }
  }

  /** The tensors that the gradients lie in, in the order of their names. */
  List<Tensor> tensors() {
    return buckets;
  }

  /**
   * Makes every gradient the sum over all processes.
   *
   * @throws Processes.LostException if a process is gone
   */
  public void sum() {
    processes.sumInPlace(buckets);
  }

  /** Gives the tensors up; gradients stay in them. */
  @Override
  public void close() {
    buckets.forEach(Tensor::close);
    buckets.clear();
  }
}
