package io.bitloom.images;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Builds container images as files for {@code docker load}, without a container engine. */
@Command(
    name = "deploy/images/build",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description =
        "Builds container images as files for docker load or podman load. Needs a JDK with jlink, and"
            + " apt-get and dpkg-deb of a Debian on x86-64.")
public final class Main implements Callable<Integer> {

  /** An image that stays the same: by its digest, or as a file. */
  private static final Pattern BASE = Pattern.compile(".+@sha256:[0-9a-f]{64}|tar://.+");

  @Spec private CommandSpec spec;

  @Option(
      names = "--image",
      paramLabel = "NAME",
      description =
          "bitloom-coordinator, bitloom-worker, bitloom-client or bitloom-worker-cuda; may be repeated"
              + " (default: all but the last).")
  private List<Program> programs = List.of(Program.COORDINATOR, Program.WORKER, Program.CLIENT);

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "target/images",
      description = "Folder for the images (default: ${DEFAULT-VALUE}).")
  private Path out;

  @Option(
      names = "--tag",
      paramLabel = "TAG",
      defaultValue = "latest",
      description = "Of all images (default: ${DEFAULT-VALUE}).")
  private String tag;

  @Option(
      names = "--base",
      paramLabel = "IMAGE@sha256:…",
      description =
          "An image with glibc 2.36 or newer, for example one with CUDA, in place of Debian's packages;"
              + " it is pulled from its registry, or is a file: tar://FILE.")
  private String base;

  @Option(
      names = "--packages",
      paramLabel = "FILE",
      description =
          "Take exactly these packages of Debian: the packages.txt of an earlier build (default: the"
              + " newest of each).")
  private Path packages;

  @Option(
      names = "--libtorch-gpu",
      paramLabel = "JAR",
      description = "libtorch for NVIDIA GPUs, for bitloom-worker-cuda; the script fetches it.")
  private Path libtorchForGpu;

  @Option(
      names = "--cuda",
      paramLabel = "JAR",
      description =
          "Java's side of CUDA, for bitloom-worker-cuda: its classes, and once more its native"
              + " libraries; the script fetches them.")
  private List<Path> cuda = List.of();

  @Option(names = "--home", required = true, hidden = true)
  private Path home;

  @Option(names = "--created", required = true, hidden = true)
  private long created;

  @Option(names = "--revision", defaultValue = "", hidden = true)
  private String revision;

  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    CommandLine line = new CommandLine(new Main());
    line.registerConverter(Program.class, Main::program);
    line.setExecutionExceptionHandler(
        (fault, command, given) -> {
          System.err.println("deploy/images/build: " + fault.getMessage());
          return CommandLine.ExitCode.SOFTWARE;
        });
    return line;
  }

  private static Program program(String name) {
    return Stream.of(Program.values())
        .filter(program -> program.image().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new CommandLine.TypeConversionException(
                    "expected one of " + List.of(Program.values()) + ", got " + name));
  }

  @Override
  public Integer call() throws Exception {
    if (base != null && !BASE.matcher(base).matches()) {
      throw wrong("--base: expected IMAGE@sha256:DIGEST or tar://FILE, got " + base);
    }
    if (programs.contains(Program.WORKER_CUDA) && base == null) {
      throw wrong(
          Program.WORKER_CUDA
              + " needs --base, an image with the libraries of CUDA: "
              + String.join(", ", Program.WORKER_CUDA.hostLibraries())
              + " (the first is the driver's, which a container gets when it starts)");
    }
    Path folder = Files.createDirectories(out).toRealPath();
    Path work = Files.createTempDirectory(folder, "work");
    try {
      ImageBuild build =
          new ImageBuild(plan(folder), work, new DebianPackages(work.resolve("debian"), pinned()));
      DebianPackages.write(build.packages(), out.resolve("packages.txt"));
      for (Program program : programs) {
        String digest = build.build(program);
        Path tar = out.resolve(program.image() + ".tar");
        System.out.printf(Locale.ROOT, "%s %s %.1f MB%n", tar, digest, Files.size(tar) / 1e6);
      }
    } finally {
      delete(work);
    }
    return CommandLine.ExitCode.OK;
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private ImageBuild.Plan plan(Path folder) {
    return new ImageBuild.Plan(
        home,
        folder,
        tag,
        Optional.ofNullable(base),
        Instant.ofEpochSecond(created),
        Optional.of(revision).filter(text -> !text.isEmpty()),
        Optional.ofNullable(libtorchForGpu),
        cuda);
  }

  private List<DebianPackage> pinned() throws IOException {
    return packages == null ? List.of() : DebianPackages.read(packages);
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
