package io.bitloom.engine.tensor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;

/**
 * Start-up of the native library. Every class of this package starts it by itself; code that calls
 * {@code org.bytedeco.pytorch} before it has a tensor calls {@link #start()} first.
 *
 * <p>Three settings belong to the process that launches the JVM, because native libraries read them
 * when they are loaded: {@code OMP_WAIT_POLICY=PASSIVE}, {@code OPENBLAS_NUM_THREADS=1} (the CPU
 * backend has threads of its own) and {@code THP_MEM_ALLOC_ENABLE=1}, large pages for tensors.
 */
public final class LibTorch {
  private static final String PHYSICAL_MEMORY_LIMIT = "org.bytedeco.javacpp.maxPhysicalBytes";
  private static final String JAVACPP_LOG = "org.bytedeco.javacpp.logger";

  private static final String GPU = "-gpu";

  private LibTorch() {}

  /**
   * Loads libtorch; calls after the first do nothing.
   *
   * @throws UncheckedIOException if the native libraries cannot be unpacked into the JavaCPP cache
   */
  public static void start() {
    Loading.once();
  }

  /**
   * Sets the number of CPU threads that one operator of this thread may use, and of threads that
   * call libtorch for the first time later. {@code CpuThreads} finds a good one.
   */
  public static void threads(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("threads: expected at least 1, got " + count);
    }
    start();
    torch.set_num_threads(count);
  }

  /** The number of CPU threads that one operator may use. */
  public static int threads() {
    start();
    return torch.get_num_threads();
  }

  /**
   * Whether a CUDA device can be used; the CPU build answers false without touching CUDA classes.
   */
  public static boolean cudaAvailable() {
    start();
    return torch.cuda_is_available();
  }

  /** Whether this build has the libtorch for GPUs. */
  public static boolean builtForGpu() {
    return LibTorch.class.getResource(folder() + GPU + "/") != null;
  }

  private static String folder() {
    return "/org/bytedeco/pytorch/" + Loader.getPlatform();
  }

  /** The holder idiom: the JVM runs the initialiser once, whichever thread comes first. */
  private static final class Loading {
    static {
      // JavaCPP's default of four times the Java heap is far below the size of a real model.
      setUnlessGiven(PHYSICAL_MEMORY_LIMIT, "0");
      // By itself JavaCPP writes to standard error, past every level.
      setUnlessGiven(JAVACPP_LOG, "slf4j");
      unpackBeforeAnyTorchClassLoads();
      Loader.load(torch.class);
      // On a CPU that NNPACK does not know, every convolution would say so on standard error.
      torch.globalContext().setUserEnabledNNPACK(false);
      // float32 is float32 on GPUs too: cuDNN's convolutions would round to 10 bits of mantissa.
      torch.globalContext().setAllowTF32CuDNN(false);
      torch.globalContext().setFloat32MatmulPrecision("highest");
      torch.set_num_threads(Processors.threads());
    }

    private static void setUnlessGiven(String property, String value) {
      if (System.getProperty(property) == null) {
        System.setProperty(property, value);
      }
    }

    /**
     * Unpacks all libraries into the cache. On a cold cache the loader would otherwise pick up a
     * libtorch of the operating system for those that it has not unpacked yet, and crash. Libraries
     * that lie in a folder of the class path, as in a container image, are loaded from there.
     */
    private static void unpackBeforeAnyTorchClassLoads() {
      try {
        for (String folder : new String[] {folder() + "/", folder() + GPU + "/"}) {
          URL place = LibTorch.class.getResource(folder);
          if (place != null && !place.getProtocol().equals("file")) {
            Loader.cacheResources(org.bytedeco.pytorch.presets.torch.class, folder);
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException("cannot unpack libtorch into the JavaCPP cache", e);
      }
    }

    static void once() {}
  }
}
