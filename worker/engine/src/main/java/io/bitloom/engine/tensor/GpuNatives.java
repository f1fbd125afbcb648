package io.bitloom.engine.tensor;

import io.bitloom.engine.tensor.link.HostLibraries;
import io.bitloom.engine.tensor.link.LinkerPaths;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.ClassProperties;
import org.bytedeco.javacpp.Loader;

/**
 * The native libraries of the build for GPUs. They need libraries of CUDA, which are not part of
 * the build but of the machine. What they need is read from the files themselves, before one of
 * them is loaded: loading fails at the first library that is not there, and names no other.
 */
final class GpuNatives {
  private static final String TORCH = "/org/bytedeco/pytorch/" + Loader.getPlatform() + "-gpu/";
  private static final String CUDA = "/org/bytedeco/cuda/" + Loader.getPlatform() + "/";
  private static final String OPENBLAS = "/org/bytedeco/openblas/" + Loader.getPlatform() + "/";

  /** What is loaded on every machine, whatever the device. */
  static final List<String> FOR_ANY_DEVICE = List.of("libjnitorch.so", "libjnitorch_gloo.so");

  /**
   * Java's sides of those parts of CUDA that libtorch's classes for GPUs are made of, and NVRTC.
   */
  static final List<String> OF_CUDA =
      Stream.of("cudart", "cublas", "cudnn", "cupti", "cusolver", "cusparse", "nccl", "nvrtc")
          .map(name -> "libjni" + name + ".so")
          .toList();

  private final List<Path> torch;
  private final List<Path> cuda;
  private final List<Path> bundle;

  private GpuNatives(List<Path> torch, List<Path> cuda, List<Path> openBlas) {
    this.torch = torch;
    this.cuda = cuda;
    this.bundle = Stream.of(torch, cuda, openBlas).flatMap(List::stream).toList();
  }

  /** Whether this build has them. */
  static boolean present() {
    return GpuNatives.class.getResource(TORCH) != null;
  }

  /** Unpacks them, unless they are files already, as in a container image. */
  static GpuNatives unpack() throws IOException {
    return new GpuNatives(files(TORCH), files(CUDA), files(OPENBLAS));
  }

  /** The libraries of a folder in a jar; not the links to others that JavaCPP adds to them. */
  private static List<Path> files(String resources) throws IOException {
    URL place = GpuNatives.class.getResource(resources);
    if (place == null) {
      return List.of();
    }
    Path folder =
        place.getProtocol().equals("file")
            ? Path.of(place.getPath())
            : Loader.cacheResources(org.bytedeco.pytorch.presets.torch.class, resources)[0]
                .toPath();
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.getFileName().toString().contains(".so"))
          .filter(file -> !Files.isSymbolicLink(file))
          .sorted()
          .toList();
    }
  }

  /** The libraries of this machine without which nothing can be computed, not even on the CPU. */
  HostLibraries neededToLoad() throws IOException {
    return HostLibraries.of(named(torch, FOR_ANY_DEVICE), bundle, paths());
  }

  /** All libraries of this machine that computing on GPUs needs. */
  HostLibraries neededForGpus() throws IOException {
    List<Path> loaded = new ArrayList<>(torch);
    loaded.addAll(named(cuda, OF_CUDA));
    return HostLibraries.of(loaded, bundle, paths());
  }

  private static List<Path> named(List<Path> files, List<String> names) {
    return files.stream().filter(file -> names.contains(file.getFileName().toString())).toList();
  }

  private static LinkerPaths paths() {
    ClassProperties properties =
        Loader.loadProperties(
            org.bytedeco.pytorch.presets.torch.class, Loader.loadProperties(), true);
    return LinkerPaths.ofThisProcess(
        properties.get("platform.preloadpath").stream().map(Path::of).toList());
  }
}
