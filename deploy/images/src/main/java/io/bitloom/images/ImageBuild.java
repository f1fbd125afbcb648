package io.bitloom.images;

import com.google.cloud.tools.jib.api.Containerizer;
import com.google.cloud.tools.jib.api.ImageReference;
import com.google.cloud.tools.jib.api.InvalidImageReferenceException;
import com.google.cloud.tools.jib.api.Jib;
import com.google.cloud.tools.jib.api.JibContainer;
import com.google.cloud.tools.jib.api.JibContainerBuilder;
import com.google.cloud.tools.jib.api.LogEvent;
import com.google.cloud.tools.jib.api.TarImage;
import com.google.cloud.tools.jib.api.buildplan.AbsoluteUnixPath;
import com.google.cloud.tools.jib.api.buildplan.FileEntriesLayer;
import com.google.cloud.tools.jib.api.buildplan.ImageFormat;
import com.google.cloud.tools.jib.api.buildplan.Port;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Builds images: what is the same in all is made once. */
final class ImageBuild {

  private static final String JAVA = "/opt/java";
  private static final String HOME = "/opt/bitloom";
  private static final String BILL = "sbom.cdx.json";

  private static final String LIBTORCH = "pytorch";
  private static final String GPU = "-gpu";
  private static final String CUDA = "cuda";
  private static final int CUDA_JARS = 2;

  /**
   * What is built, and how.
   *
   * @param home the repository, with its modules built
   * @param out where images go
   * @param tag of all of them
   * @param base an image that brings the libraries of Debian; empty: none
   * @param created when the sources were committed
   * @param revision their commit; empty: not known
   * @param libtorchForGpu the jar that replaces that of the CPUs in the image for GPUs
   * @param cuda the jars of Java's side of CUDA, which that image has besides
   */
  record Plan(
      Path home,
      Path out,
      String tag,
      Optional<String> base,
      Instant created,
      Optional<String> revision,
      Optional<Path> libtorchForGpu,
      List<Path> cuda) {}

  private final Plan plan;
  private final Path work;
  private final Map<DebianPackage, Path> basePackages;
  private final Map<DebianPackage, Path> javaPackages;
  private final String javaVersion;

  /** Makes what all images share. */
  ImageBuild(Plan plan, Path work, DebianPackages debian) throws IOException, InterruptedException {
    this.plan = plan;
    this.work = work;
    this.basePackages = plan.base().isPresent() ? Map.of() : debian.fetch(DebianPackages.BASE);
    this.javaPackages = debian.fetch(DebianPackages.OF_JAVA);
    this.javaVersion = JavaRuntime.link(work.resolve("java"));
    Path root = Files.createDirectories(work.resolve("root"));
    DebianFiles files = new DebianFiles(Files.createDirectories(work.resolve("packages")));
    files.base(basePackages, root);
    files.libraries(javaPackages, work.resolve("java/lib"), work.resolve("java-root"));
    if (plan.base().isEmpty()) {
      writeAccounts(root.resolve("etc"));
    }
    Files.createDirectories(work.resolve("empty"));
  }

  /** The packages of Debian that are in the images. */
  List<DebianPackage> packages() {
    return Stream.concat(basePackages.keySet().stream(), javaPackages.keySet().stream()).toList();
  }

  private static void writeAccounts(Path etc) throws IOException {
    Files.createDirectories(etc);
    Files.writeString(
        etc.resolve("passwd"),
        "root:x:0:0:root:/nonexistent:/nonexistent\n"
            + "bitloom:x:10001:10001:Bitloom:/nonexistent:/nonexistent\n");
    Files.writeString(etc.resolve("group"), "root:x:0:\nbitloom:x:10001:\n");
    Files.writeString(etc.resolve("nsswitch.conf"), "hosts: files dns\n");
  }

  /** Builds an image as a file; its digest. */
  String build(Program program) throws Exception {
    Path folder = Files.createDirectories(work.resolve(program.image()));
    Path natives = Files.createDirectories(folder.resolve("natives"));
    Path jars = Files.createDirectories(folder.resolve("lib"));
    Path own = Files.createDirectories(folder.resolve("own"));
    ClassPath classPath = new ClassPath(jars, natives);
    Bill bill = bill(program, classPath);
    Files.writeString(own.resolve("jvm.args"), arguments(program, classPath));
    Files.writeString(own.resolve(BILL), bill.json());
    Files.writeString(plan.out().resolve(program.image() + "." + BILL), bill.json());
    Files.copy(plan.home().resolve("LICENSE"), own.resolve("LICENSE"));
    JibContainerBuilder image =
        plan.base().isPresent() ? Jib.from(plan.base().get()) : Jib.fromScratch();
    image
        .setFormat(ImageFormat.Docker)
        .setFileEntriesLayers(layers(program, natives, jars, own))
        .setUser(Layers.USER)
        .setWorkingDirectory(AbsoluteUnixPath.get(program.folder().orElse("/tmp")))
        .setEntrypoint(entrypoint(program))
        .setProgramArguments(List.of())
        .setEnvironment(environment(program))
        .setExposedPorts(program.ports().stream().map(Port::tcp).collect(Collectors.toSet()))
        .setLabels(labels(program))
        .setCreationTime(plan.created());
    return containerize(program, image);
  }

  private List<FileEntriesLayer> layers(Program program, Path natives, Path jars, Path own)
      throws IOException {
    List<FileEntriesLayer> layers = new ArrayList<>();
    if (plan.base().isEmpty()) {
      layers.add(Layers.of("debian", work.resolve("root"), "/", file -> true));
    }
    layers.add(Layers.of("java", work.resolve("java"), JAVA, file -> true));
    layers.add(Layers.of("java-licences", work.resolve("java-root"), "/", file -> true));
    layers.add(Layers.writable(work.resolve("empty"), program.folder().stream().toList()));
    layers.add(Layers.of("natives", natives, HOME + "/natives", file -> true));
    layers.add(Layers.of("libraries", jars, HOME + "/lib", file -> !isBitloom(file)));
    layers.add(Layers.of("bitloom", jars, HOME + "/lib", ImageBuild::isBitloom));
    layers.add(Layers.of("start", own, HOME, file -> true));
    return layers;
  }

  private static boolean isBitloom(Path jar) {
    return jar.getFileName().toString().startsWith("bitloom-");
  }

  /** Fills the class path and says what is in it, in Debian's packages and in Java. */
  private Bill bill(Program program, ClassPath classPath) throws IOException {
    Path jar = jar(program);
    Path target = jar.getParent();
    if (!Files.exists(jar)) {
      throw new IOException(jar + " is missing; build it with: mvn -DskipTests package");
    }
    String version = version(jar);
    Bill bill = new Bill(program.image(), version, plan.created());
    bill.add(
        new Artifact("io.bitloom", program.code().jar(), version, Optional.empty()),
        Sha256.of(jar));
    classPath.add(jar);
    Map<String, Artifact> known = Artifact.read(target.resolve("artifacts.txt"));
    for (Path library : libraries(program, target.resolve("lib"), known)) {
      String name = library.getFileName().toString();
      Artifact artifact = known.get(name);
      if (artifact == null) {
        throw new IOException(
            library + " belongs to another build; build anew with: mvn -DskipTests clean package");
      }
      bill.add(artifact, Sha256.of(library));
      classPath.add(library);
    }
    String release = Files.readString(Path.of("/etc/debian_version")).strip().split("\\.")[0];
    packages().forEach(debian -> bill.add(debian, release));
    bill.addJava(javaVersion, JavaRuntime.vendor());
    return bill;
  }

  private List<Path> libraries(Program program, Path folder, Map<String, Artifact> known)
      throws IOException {
    List<Path> libraries;
    try (Stream<Path> files = Files.list(folder)) {
      libraries = new ArrayList<>(files.sorted().toList());
    }
    Optional<Artifact> libtorch =
        known.values().stream()
            .filter(artifact -> artifact.name().equals(LIBTORCH))
            .filter(artifact -> artifact.classifier().isPresent())
            .findFirst();
    if (libtorch.isPresent() && libtorch.get().classifier().get().endsWith(GPU)) {
      throw new IOException(
          folder + " is of the build for GPUs; make that for CPUs: mvn -DskipTests package");
    }
    if (program.onGpu()) {
      Artifact cpu = libtorch.orElseThrow(() -> new IOException(folder + " has no libtorch"));
      replaceByGpu(program, cpu, libraries, known);
    }
    return libraries;
  }

  private void replaceByGpu(
      Program program, Artifact cpu, List<Path> libraries, Map<String, Artifact> known)
      throws IOException {
    Path gpu =
        plan.libtorchForGpu().orElseThrow(() -> new IOException(program + " needs --libtorch-gpu"));
    String platform = cpu.classifier().orElseThrow();
    Artifact replacement =
        new Artifact(cpu.group(), cpu.name(), cpu.version(), Optional.of(platform + GPU));
    if (!gpu.getFileName().toString().equals(replacement.file())) {
      throw new IOException("--libtorch-gpu: expected " + replacement.file() + ", got " + gpu);
    }
    known.put(replacement.file(), replacement);
    libraries.replaceAll(file -> file.getFileName().toString().equals(cpu.file()) ? gpu : file);
    if (plan.cuda().size() != CUDA_JARS) {
      throw new IOException(
          program + " needs --cuda twice: the jar of classes and that for " + platform);
    }
    for (Path jar : plan.cuda()) {
      Artifact cuda = Artifact.of(cpu.group(), CUDA, platform, jar);
      known.put(cuda.file(), cuda);
      libraries.add(jar);
    }
  }

  private Path jar(Program program) {
    return plan.home()
        .resolve(program.code().module())
        .resolve("target")
        .resolve(program.code().jar() + ".jar");
  }

  private static String version(Path jar) throws IOException {
    try (JarFile file = new JarFile(jar.toFile())) {
      return file.getManifest().getMainAttributes().getValue("Implementation-Version");
    }
  }

  /** The file that the JVM reads its flags from: those of the script, then where libraries are. */
  private String arguments(Program program, ClassPath classPath) throws IOException {
    Path flags = plan.home().resolve("deploy/jvm");
    List<String> lines = new ArrayList<>(Files.readAllLines(flags.resolve("all.args")));
    lines.addAll(Files.readAllLines(flags.resolve(program.code().arguments())));
    String natives = HOME + "/natives";
    List<String> folders =
        classPath.libraryFolders().stream().map(folder -> natives + "/" + folder).toList();
    lines.add("-Djava.library.path=" + String.join(":", folders));
    // The one library whose loader looks neither there nor on the class path.
    folders.stream()
        .filter(folder -> folder.endsWith("native/lib/linux-x86_64/cpu"))
        .forEach(folder -> lines.add("-DRUST_LIBRARY_PATH=" + folder));
    lines.add("-cp");
    lines.add(
        natives
            + "/"
            + ClassPath.resources()
            + classPath.names().stream()
                .map(name -> ":" + HOME + "/lib/" + name)
                .collect(Collectors.joining()));
    return String.join("\n", lines) + "\n";
  }

  private static List<String> entrypoint(Program program) {
    List<String> words = new ArrayList<>(List.of(JAVA + "/bin/java", "@" + HOME + "/jvm.args"));
    words.addAll(program.start());
    return words;
  }

  private Map<String, String> environment(Program program) throws IOException {
    Map<String, String> variables = new TreeMap<>(program.environment());
    variables.put("LC_ALL", "C.UTF-8");
    if (program.code().environment().isPresent()) {
      Path file = plan.home().resolve("deploy/jvm").resolve(program.code().environment().get());
      for (String line : Files.readAllLines(file)) {
        if (!line.startsWith("#")) {
          String[] parts = line.split("=", 2);
          variables.put(parts[0], parts[1]);
        }
      }
    }
    return variables;
  }

  private Map<String, String> labels(Program program) throws IOException {
    String prefix = "org.opencontainers.image.";
    Map<String, String> labels = new TreeMap<>();
    labels.put(prefix + "title", program.image());
    labels.put(prefix + "description", program.description());
    labels.put(prefix + "version", version(jar(program)));
    labels.put(prefix + "licenses", "Apache-2.0");
    labels.put(prefix + "created", plan.created().toString());
    plan.revision().ifPresent(revision -> labels.put(prefix + "revision", revision));
    if (!program.hostLibraries().isEmpty()) {
      labels.put("io.bitloom.host-libraries", String.join(" ", program.hostLibraries()));
    }
    plan.base().ifPresent(base -> labels.put(prefix + "base.name", base));
    return labels;
  }

  private String containerize(Program program, JibContainerBuilder image) throws Exception {
    ImageReference name = reference(program);
    Path tar = plan.out().resolve(program.image() + ".tar");
    JibContainer built =
        image.containerize(
            Containerizer.to(TarImage.at(tar).named(name))
                .setToolName("bitloom-images")
                .setApplicationLayersCache(plan.out().resolve("layers"))
                .setBaseImageLayersCache(plan.out().resolve("base-layers"))
                .addEventHandler(
                    LogEvent.class,
                    event -> {
                      if (event.getLevel() == LogEvent.Level.WARN
                          || event.getLevel() == LogEvent.Level.ERROR) {
                        System.err.println(event.getMessage());
                      }
                    }));
    return built.getDigest().toString();
  }

  private ImageReference reference(Program program) throws InvalidImageReferenceException {
    return ImageReference.parse(program.image() + ":" + plan.tag());
  }
}
