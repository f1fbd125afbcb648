package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.Processors;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * How many CPU threads compute where nobody says how many: as many as there are processors that
 * this process may use, by its affinity and CPU quota. libtorch counts what the CPU's topology
 * claims, and under some hypervisors that is one of two.
 *
 * <p>Where Linux says that some of these processors are hardware threads of one core, products are
 * timed with one thread a processor and with one a core: the second thread of a core seldom helps
 * them. The fewer are taken unless the more are over a tenth faster. This happens once a process
 * and takes some tens of milliseconds. {@code OMP_NUM_THREADS} goes before all of it, as it does in
 * libtorch.
 */
public final class CpuThreads {
  private static final double CLEARLY_FASTER = 1.1;

  private static final int WIDTH = 768;
  private static final int ROWS_OF_A_PROCESSOR = 64; // less than a millisecond of a core
  private static final int ROUNDS = 3;
  private static final int PRODUCTS = 3;

  private static Choice unasked;

  /**
   * A number of threads, and why it is that.
   *
   * @param threads CPU threads of one operator
   * @param reason for people
   */
  public record Choice(int threads, String reason) {
    /** For a log: "2 CPU threads: one for each processor". */
    @Override
    public String toString() {
      return threads + (threads == 1 ? " CPU thread: " : " CPU threads: ") + reason;
    }
  }

  /** Takes the time of a product. */
  interface Timing {
    /** Seconds of the fastest of some products with each of these numbers of threads. */
    double[] seconds(int... threads);
  }

  private CpuThreads() {}

  /**
   * What a setting means. The first call for 0 may measure, on the thread that calls.
   *
   * @param asked number of threads; 0 for the number that this class finds
   */
  public static synchronized Choice choose(int asked) {
    if (asked > 0) {
      return new Choice(asked, "as asked for");
    }
    if (unasked == null) {
      int processors = Processors.available();
      int cores = CpuCores.count(Path.of("/")).orElse(processors);
      unasked = choose(System.getenv(Processors.VARIABLE), processors, cores, CpuThreads::time);
    }
    return unasked;
  }

  /** {@link #choose} for this thread and for all that call libtorch for the first time later. */
  public static Choice use(int asked) {
    Choice choice = choose(asked);
    LibTorch.threads(choice.threads());
    return choice;
  }

  /**
   * The rule.
   *
   * @param given the value of OMP_NUM_THREADS, or null; one that is no number is none
   * @param processors that the process may use
   * @param cores that the processors it may run on belong to
   */
  static Choice choose(String given, int processors, int cores, Timing timing) {
    OptionalInt asked = Processors.asked(given);
    if (asked.isPresent()) {
      return new Choice(asked.getAsInt(), Processors.VARIABLE + " says so");
    }
    if (cores >= processors) {
      return new Choice(processors, "one for each processor");
    }
    double[] seconds = timing.seconds(cores, processors);
    boolean siblingsHelp = seconds[0] > CLEARLY_FASTER * seconds[1];
    String measured =
        String.format(
            Locale.ROOT,
            "a product takes %.2f ms with %d and %.2f ms with %d",
            1e3 * seconds[0],
            cores,
            1e3 * seconds[1],
            processors);
    return siblingsHelp
        ? new Choice(processors, "one for each processor, because " + measured)
        : new Choice(cores, "one for each core, because " + measured);
  }

  /** The real {@link Timing}; leaves this thread's number of threads as it was. */
  static double[] time(int... threads) {
    int before = LibTorch.threads();
    int rows = ROWS_OF_A_PROCESSOR * Arrays.stream(threads).max().orElseThrow();
    try (Scope scope = Scope.open();
        Kernels.Matrix product = new CpuKernels().matrix(ones(WIDTH, WIDTH))) {
      Tensor input = ones(rows, WIDTH);
      double[] fastest = new double[threads.length];
      Arrays.fill(fastest, Double.MAX_VALUE);
      for (int round = 0; round < ROUNDS; round++) { // what disturbs one seldom lasts for all
        for (int i = 0; i < threads.length; i++) {
          fastest[i] = Math.min(fastest[i], fastest(threads[i], product, input));
        }
      }
      return fastest;
    } finally {
      torch.set_num_threads(before);
    }
  }

  private static double fastest(int threads, Kernels.Matrix product, Tensor input) {
    torch.set_num_threads(threads);
    seconds(product, input); // starts the threads
    return IntStream.range(0, PRODUCTS)
        .mapToDouble(i -> seconds(product, input))
        .min()
        .orElseThrow();
  }

  private static double seconds(Kernels.Matrix product, Tensor input) {
    try (Scope scope = Scope.open()) {
      long start = System.nanoTime();
      product.times(input, null);
      return (System.nanoTime() - start) / 1e9;
    }
  }

  private static Tensor ones(int rows, int columns) {
    return Tensors.plus(Tensors.zeros(DType.F32, TorchDevice.CPU, rows, columns), 1);
  }
}
