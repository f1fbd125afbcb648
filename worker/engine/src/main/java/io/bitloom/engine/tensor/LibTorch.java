package io.bitloom.engine.tensor;

import io.bitloom.engine.tensor.link.CudaLibrary;
import io.bitloom.engine.tensor.link.HostLibraries;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.util.Optional;
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

  private static final String VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES";

  static {
    // JavaCPP's default of four times the Java heap is far below the size of a real model.
    setUnlessGiven(PHYSICAL_MEMORY_LIMIT, "0");
    // By itself JavaCPP writes to standard error, past every level.
    setUnlessGiven(JAVACPP_LOG, "slf4j");
  }

  private LibTorch() {}

  /** JavaCPP reads its settings when the first of its classes is used. */
  private static void setUnlessGiven(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  /**
   * Loads libtorch; calls after the first do nothing, or fail as that did.
   *
   * @throws UncheckedIOException if the native libraries cannot be unpacked into the JavaCPP cache
   * @throws LibTorchException if they cannot be loaded, as those of the build for GPUs on a machine
   *     without CUDA
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

  /** The number of CUDA devices that this process sees; none in the CPU build. */
  public static int cudaDevices() {
    start();
    return Byte.toUnsignedInt(torch.cuda_device_count());
  }

  /** Whether this build has the libtorch for GPUs. */
  public static boolean builtForGpu() {
    return GpuNatives.present();
  }

  /**
   * What the build for GPUs needs of this machine; empty in the CPU build, which needs nothing.
   * Loads none of it.
   *
   * @throws UncheckedIOException if the native libraries cannot be unpacked or read
   */
  public static Optional<HostLibraries> hostLibraries() {
    if (!builtForGpu()) {
      return Optional.empty();
    }
    try {
      return Optional.of(GpuNatives.unpack().neededForGpus());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot unpack libtorch into the JavaCPP cache", e);
    }
  }

  /** Why there is no CUDA device, and what to do, for people. */
  static String whyNoCuda() {
    Optional<HostLibraries> needed = hostLibraries();
    if (needed.isEmpty()) {
      return "this is the build for CPUs; mvn -Pgpu -DskipTests package makes the one for GPUs";
    }
    if (!needed.get().missing().isEmpty()) {
      return lacks(needed.get());
    }
    String visible = System.getenv(VISIBLE_DEVICES);
    return "CUDA finds no device"
        + (visible == null ? "" : ", with " + VISIBLE_DEVICES + "=" + visible)
        + "; ./bitloom doctor looks at driver and devices";
  }

  private static String lacks(HostLibraries needed) {
    return "this is the build for GPUs, and this machine lacks "
        + CudaLibrary.describe(needed.missing())
        + ": install them or say in LD_LIBRARY_PATH where they are (docs/operations/gpu.md), or"
        + " make the build for CPUs: mvn -DskipTests package";
  }

  /** The holder idiom: the JVM runs the initialiser once, whichever thread comes first. */
  private static final class Loading {
    /** Kept, since a class whose initialiser fails says why only once. */
    private static final RuntimeException FAILURE = attempt();

    private static RuntimeException attempt() {
      try {
        unpackBeforeAnyTorchClassLoads();
        Loader.load(torch.class);
      } catch (IOException e) {
        return new UncheckedIOException("cannot unpack libtorch into the JavaCPP cache", e);
      } catch (LibTorchException e) {
        return e;
      } catch (LinkageError e) {
        return new LibTorchException("libtorch cannot be loaded: " + e.getMessage(), e);
      }
      // On a CPU that NNPACK does not know, every convolution would say so on standard error.
      torch.globalContext().setUserEnabledNNPACK(false);
      // float32 is float32 on GPUs too: cuDNN's convolutions would round to 10 bits of mantissa.
      torch.globalContext().setAllowTF32CuDNN(false);
      torch.globalContext().setFloat32MatmulPrecision("highest");
      torch.set_num_threads(Processors.threads());
      return null;
    }

    /**
     * Unpacks all libraries into the cache. On a cold cache the loader would otherwise pick up a
     * libtorch of the operating system for those that it has not unpacked yet, and crash. Libraries
     * that lie in a folder of the class path, as in a container image, are loaded from there.
     */
    private static void unpackBeforeAnyTorchClassLoads() throws IOException {
      if (builtForGpu()) {
        GpuNatives natives = GpuNatives.unpack();
        if (!natives.neededToLoad().missing().isEmpty()) {
          throw new LibTorchException(lacks(natives.neededForGpus()));
        }
        return;
      }
      String folder = "/org/bytedeco/pytorch/" + Loader.getPlatform() + "/";
      URL place = LibTorch.class.getResource(folder);
      if (place != null && !place.getProtocol().equals("file")) {
        Loader.cacheResources(org.bytedeco.pytorch.presets.torch.class, folder);
      }
    }

    static void once() {
      if (FAILURE != null) {
        throw FAILURE;
      }
    }
  }
}
