package io.bitloom.deploy;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.model.Container;
import com.github.dockerjava.api.model.Image;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.testcontainers.DockerClientFactory;

/** The containers of the compose files under a name of their own, with the images of this build. */
final class ComposeProject implements AutoCloseable {

  private final String name = "bitloom-it-" + UUID.randomUUID().toString().substring(0, 8);
  private final List<String> program;
  private final DockerClient engine = DockerClientFactory.instance().client();
  private final Map<String, String> variables = new TreeMap<>();

  /**
   * @param secrets folder with what the containers are to know
   * @param files folder that the client's container sees
   */
  ComposeProject(List<String> program, Path secrets, Path files) throws Exception {
    this.program = program;
    load();
    variables.put("BITLOOM_REGISTRY", registry());
    variables.put("BITLOOM_TAG", BuiltImages.TAG);
    variables.put(
        "BITLOOM_REDIS_IMAGE", System.getenv().getOrDefault("BITLOOM_TEST_REDIS_IMAGE", "redis:7"));
    variables.put("BITLOOM_PUBLISHED_GRPC", String.valueOf(freePort()));
    variables.put("BITLOOM_PUBLISHED_HTTP", String.valueOf(freePort()));
    // Two workers and the test share what may be two processors.
    variables.put("BITLOOM_WORKER_THREADS", "1");
    variables.put("BITLOOM_SECRETS", secrets.toString());
    variables.put("BITLOOM_FILES", files.toString());
  }

  /** How compose is called here; empty: there is none, or no engine. */
  static Optional<List<String>> program() {
    if (!DockerClientFactory.instance().isDockerAvailable()) {
      return Optional.empty();
    }
    return Stream.of(List.of("docker-compose"), List.of("docker", "compose"))
        .filter(ComposeProject::runs)
        .findFirst();
  }

  private static boolean runs(List<String> program) {
    try {
      List<String> words = new ArrayList<>(program);
      words.add("version");
      Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
      process.getInputStream().readAllBytes();
      return process.waitFor() == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void load() throws Exception {
    for (String image : BuiltImages.NAMES) {
      try (InputStream file = Files.newInputStream(BuiltImages.folder().resolve(image + ".tar"))) {
        engine.loadImageCmd(file).exec();
      }
    }
  }

  /** What stands before the names of loaded images: Podman says where they are from. */
  private String registry() {
    String wanted = BuiltImages.NAMES.get(0) + ":" + BuiltImages.TAG;
    return engine.listImagesCmd().exec().stream()
        .map(Image::getRepoTags)
        .filter(tags -> tags != null)
        .flatMap(Stream::of)
        .filter(tag -> tag.endsWith(wanted))
        .map(tag -> tag.substring(0, tag.length() - wanted.length()))
        .findFirst()
        .orElseThrow();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** A port of the coordinator on this machine. */
  int port(String variable) {
    return Integer.parseInt(variables.get(variable));
  }

  /** Runs a command of compose; its output. */
  String run(String... words) throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(program);
    all.addAll(
        List.of(
            "-p",
            name,
            "-f",
            ComposeFile.FOLDER.resolve("compose.yaml").toString(),
            "-f",
            ComposeFile.FOLDER.resolve("compose.tokens.yaml").toString()));
    all.addAll(List.of(words));
    Execution execution = Execution.of(all);
    variables.forEach(execution::environment);
    return execution.succeed();
  }

  /** A service's container. */
  InspectContainerResponse container(String service) {
    Container found =
        engine
            .listContainersCmd()
            .withShowAll(true)
            .withLabelFilter(
                Map.of("com.docker.compose.project", name, "com.docker.compose.service", service))
            .exec()
            .get(0);
    return engine.inspectContainerCmd(found.getId()).exec();
  }

  /** Whether a program can be started in a service's container. */
  boolean canRun(String service, String... words) throws InterruptedException {
    try {
      String id =
          engine
              .execCreateCmd(container(service).getId())
              .withCmd(words)
              .withAttachStdout(true)
              .withAttachStderr(true)
              .exec()
              .getId();
      engine.execStartCmd(id).exec(new ResultCallback.Adapter<>()).awaitCompletion();
      Long code = engine.inspectExecCmd(id).exec().getExitCodeLong();
      return code != null && code == 0;
    } catch (RuntimeException e) {
      return false;
    }
  }

  /**
   * Stops a service as an upgrade does and starts it in a new container.
   *
   * @return the exit code of the old one
   */
  long replace(String service) throws IOException, InterruptedException {
    run("stop", service);
    Long code = container(service).getState().getExitCodeLong();
    run("up", "-d", "--no-deps", "--force-recreate", service);
    return code;
  }

  @Override
  public void close() throws IOException, InterruptedException {
    run("down", "-v", "--remove-orphans");
  }
}
