package io.bitloom.client.cluster;

import io.bitloom.common.gpu.Gpu;
import io.bitloom.common.gpu.VisibleGpus;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The workers of a local cluster.
 *
 * @param count how many; at least 1
 * @param device what each draws on; empty leaves it to the worker
 * @param gpus the GPU of each, which sees no other; empty if workers see what this program sees
 */
public record Workers(int count, Optional<String> device, List<Gpu> gpus) {
  private static final String CPU = "cpu";
  private static final String FIRST_GPU = "cuda:0";

  /** Some workers, which find out by themselves what they draw on. */
  public static Workers of(int count) {
    return new Workers(count, Optional.empty(), List.of());
  }

  /** One on each GPU, or one on the CPU where there is none. */
  public static Workers onEach(List<Gpu> gpus) {
    return gpus.isEmpty()
        ? new Workers(1, Optional.of(CPU), gpus)
        : new Workers(gpus.size(), Optional.of(FIRST_GPU), gpus);
  }

  /**
   * What a worker's environment has besides that of this program.
   *
   * @param number of the worker, from 1
   */
  Map<String, String> environment(int number) {
    return gpus.isEmpty() ? Map.of() : Map.of(VisibleGpus.VARIABLE, gpus.get(number - 1).id());
  }
}
