package io.bitloom.images;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The images that there are, and what differs between them. */
enum Program {
  COORDINATOR(
      "bitloom-coordinator",
      "Takes bulk jobs over gRPC, queues their prompts and gives batches to workers",
      new Code("coordinator", "bitloom-coordinator", "coordinator.args", Optional.empty()),
      List.of("io.bitloom.coordinator.Main"),
      List.of(7700, 7701),
      Optional.of("/data"),
      Map.of("BITLOOM_DATA", "/data")),
  WORKER(
      "bitloom-worker",
      "Draws images with Infinity on CPUs",
      Code.WORKER,
      List.of("io.bitloom.worker.Main", "worker"),
      List.of(7702),
      Optional.of("/cache"),
      Map.of("XDG_CACHE_HOME", "/cache")),
  WORKER_CUDA(
      "bitloom-worker-cuda",
      "Draws images with Infinity on NVIDIA GPUs",
      Code.WORKER,
      List.of("io.bitloom.worker.Main", "worker"),
      List.of(7702),
      Optional.of("/cache"),
      Map.of("XDG_CACHE_HOME", "/cache")),
  CLIENT(
      "bitloom-client",
      "The bitloom command: submits jobs, watches them and fetches their images",
      new Code("client", "bitloom-client", "client.args", Optional.empty()),
      List.of("-Dbitloom.program=bitloom", "io.bitloom.client.cli.Bitloom"),
      List.of(),
      Optional.empty(),
      Map.of());

  /**
   * What a program is made of.
   *
   * @param module folder of its Maven module
   * @param jar name of its jar, without the ending
   * @param arguments its file of JVM flags in {@code deploy/jvm}
   * @param environment its file of variables there
   */
  record Code(String module, String jar, String arguments, Optional<String> environment) {
    private static final Code WORKER =
        new Code("worker/service", "bitloom-worker", "engine.args", Optional.of("engine.env"));
  }

  private static final List<String> OF_CUDA =
      List.of(
          "libcuda.so.1",
          "libcudart.so.13",
          "libcupti.so.13",
          "libcublas.so.13",
          "libcublasLt.so.13",
          "libcufft.so.12",
          "libcufile.so.0",
          "libcurand.so.10",
          "libcusolver.so.12",
          "libcusolverMg.so.12",
          "libcusparse.so.12",
          "libnvJitLink.so.13",
          "libnvrtc.so.13",
          "libcudnn.so.9",
          "libcudnn_adv.so.9",
          "libcudnn_cnn.so.9",
          "libcudnn_graph.so.9",
          "libcudnn_ops.so.9",
          "libnccl.so.2");

  private final String image;
  private final String description;
  private final Code code;
  private final List<String> start;
  private final List<Integer> ports;
  private final Optional<String> folder;
  private final Map<String, String> environment;

  Program(
      String image,
      String description,
      Code code,
      List<String> start,
      List<Integer> ports,
      Optional<String> folder,
      Map<String, String> environment) {
    this.image = image;
    this.description = description;
    this.code = code;
    this.start = start;
    this.ports = ports;
    this.folder = folder;
    this.environment = environment;
  }

  /** The image's name, without registry and tag. */
  String image() {
    return image;
  }

  String description() {
    return description;
  }

  Code code() {
    return code;
  }

  /** What the JVM is given after its flags and before the caller's options. */
  List<String> start() {
    return start;
  }

  /** Ports by convention; the program listens where its options say. */
  List<Integer> ports() {
    return ports;
  }

  /** The folder that it writes to, to be mounted. */
  Optional<String> folder() {
    return folder;
  }

  /** Variables that say where that folder is. */
  Map<String, String> environment() {
    return environment;
  }

  /**
   * The libraries that the image's base and the machine's driver must bring, by the names of their
   * files; those that each package has are on the page about GPUs.
   */
  List<String> hostLibraries() {
    return onGpu() ? OF_CUDA : List.of();
  }

  boolean onGpu() {
    return this == WORKER_CUDA;
  }

  @Override
  public String toString() {
    return image;
  }
}
