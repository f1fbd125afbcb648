package io.bitloom.worker.doctor;

import io.bitloom.common.doctor.Examination;
import io.bitloom.common.doctor.Finding;
import io.bitloom.common.doctor.Setup;
import io.bitloom.common.gpu.Gpu;
import io.bitloom.common.gpu.NvidiaDriver;
import io.bitloom.common.gpu.VisibleGpus;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.LibTorchException;
import io.bitloom.engine.tensor.link.CudaLibrary;
import io.bitloom.engine.tensor.link.HostLibraries;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Whether this machine has GPUs of NVIDIA that a worker would see, the driver for them and the
 * libraries of CUDA, and this build the libtorch for it.
 */
public final class GpuExamination implements Examination {
  /** What to do where the build for GPUs does not work. */
  static final String ADVICE =
      "docs/operations/gpu.md says how to install what is missing; or build for the CPU: mvn"
          + " -DskipTests package";

  private static final String GPU = "gpu";
  private static final String DRIVER = "gpu driver";
  private static final String LIBRARIES = "gpu libraries";
  private static final String MAKE_IT = "mvn -Pgpu -DskipTests package makes one for the GPU";

  private final Map<String, String> environment;
  private final Path devices;
  private final Path driverFile;

  /** Of this machine. */
  public GpuExamination() {
    this(System.getenv(), Path.of("/dev"), NvidiaDriver.FILE);
  }

  /**
   * @param environment of the workers that would be started
   * @param devices the folder of device files
   * @param driverFile where the kernel names its driver
   */
  GpuExamination(Map<String, String> environment, Path devices, Path driverFile) {
    this.environment = environment;
    this.devices = devices;
    this.driverFile = driverFile;
  }

  @Override
  public List<Finding> examine(Setup setup) {
    Optional<NvidiaDriver> driver = NvidiaDriver.read(driverFile);
    String seen = seen(VisibleGpus.find(environment, devices));
    if (!LibTorch.builtForGpu()) {
      return List.of(
          seen.isEmpty() && driver.isEmpty()
              ? Finding.ok(GPU, "none of NVIDIA; pictures are drawn by the CPU")
              : Finding.warn(
                  GPU,
                  (seen.isEmpty() ? "a driver of NVIDIA" : seen) + ", and a build for the CPU",
                  MAKE_IT));
    }
    List<Finding> findings = new ArrayList<>();
    findings.add(driver(driver));
    findings.addAll(libraries());
    findings.add(gpu(seen.isEmpty() ? "none is seen" + restriction() : seen));
    return findings;
  }

  private String seen(List<Gpu> gpus) {
    return gpus.isEmpty()
        ? ""
        : gpus.stream().map(Gpu::toString).collect(Collectors.joining(", ")) + restriction();
  }

  private String restriction() {
    String chosen = environment.get(VisibleGpus.VARIABLE);
    return chosen == null ? "" : ", with " + VisibleGpus.VARIABLE + "=" + chosen;
  }

  private static Finding driver(Optional<NvidiaDriver> driver) {
    if (driver.isEmpty()) {
      return Finding.fail(DRIVER, "none of NVIDIA runs", ADVICE);
    }
    String version = driver.get().version();
    return driver.get().branch() >= NvidiaDriver.CUDA_13
        ? Finding.ok(DRIVER, version)
        : Finding.fail(
            DRIVER, version + ", and CUDA 13 needs " + NvidiaDriver.CUDA_13 + " or newer", ADVICE);
  }

  private static List<Finding> libraries() {
    try {
      return LibTorch.hostLibraries().map(GpuExamination::libraries).stream().toList();
    } catch (UncheckedIOException e) {
      return List.of(
          Finding.fail(LIBRARIES, e.getMessage() + ": " + e.getCause().getMessage(), ADVICE));
    }
  }

  private static Finding libraries(HostLibraries host) {
    String places =
        CudaLibrary.all().stream()
            .map(library -> host.found().get(library.name()))
            .filter(file -> file != null)
            .map(Path::toString)
            .collect(Collectors.joining(", "));
    String found = places.isEmpty() ? "none is here" : "found " + places;
    return host.missing().isEmpty()
        ? Finding.ok(LIBRARIES, found)
        : Finding.fail(
            LIBRARIES, "missing " + CudaLibrary.describe(host.missing()) + "; " + found, ADVICE);
  }

  private static Finding gpu(String seen) {
    try {
      return LibTorch.cudaAvailable()
          ? Finding.ok(GPU, seen + ", of which libtorch can use " + LibTorch.cudaDevices())
          : Finding.fail(GPU, seen + ", and libtorch cannot use CUDA", ADVICE);
    } catch (LibTorchException | UncheckedIOException e) {
      return Finding.fail(GPU, seen + ", and libtorch cannot be loaded", ADVICE);
    }
  }
}
