package io.bitloom.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.dockerjava.api.command.InspectContainerResponse;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.client.sdk.ResumingStream;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.Model;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsResponse;
import io.bitloom.v1.Sampling;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A cluster of containers, with tokens, while every one of its programs is replaced. */
class ComposeIT {

  private static final int PROMPTS = 500;
  private static final String CLIENT_TOKEN = UUID.randomUUID().toString();
  private static final String WORKER_TOKEN = UUID.randomUUID().toString();

  /** What is replaced once so many results are there. */
  private static final Map<Integer, String> REPLACED =
      new TreeMap<>(Map.of(40, "worker-1", 140, "coordinator", 260, "worker-2"));

  private static ComposeProject compose;
  private static Path files;

  @BeforeAll
  static void start() throws Exception {
    boolean possible = BuiltImages.canBeBuilt() && ComposeProject.program().isPresent();
    if (!possible) {
      System.out.println("ComposeIT is skipped: it needs a container engine, compose and apt-get");
    }
    assumeTrue(possible);
    Path folder =
        Files.createTempDirectory(Files.createDirectories(Path.of("target")), "compose")
            .toAbsolutePath();
    Path secrets = Files.createDirectory(folder.resolve("secrets"));
    files = Files.createDirectory(folder.resolve("files"));
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.setPosixFilePermissions(files, PosixFilePermissions.fromString("rwxrwxrwx"));
    Files.writeString(
        secrets.resolve("tenants.json"),
        String.format(
            Locale.ROOT,
            """
            {"tenants": [
              {"name": "art", "tokens": [{"sha256": "%s", "roles": ["client", "operator"]}]},
              {"name": "machines", "tokens": [{"sha256": "%s", "roles": ["worker"]}]}]}
            """,
            digest(CLIENT_TOKEN),
            digest(WORKER_TOKEN)));
    Files.writeString(secrets.resolve("worker.env"), "BITLOOM_TOKEN=" + WORKER_TOKEN + "\n");
    Files.writeString(secrets.resolve("client.env"), "BITLOOM_TOKEN=" + CLIENT_TOKEN + "\n");
    compose = new ComposeProject(ComposeProject.program().orElseThrow(), secrets, files);
    compose.run("up", "-d");
    awaitWorkers(2);
  }

  /** Waits until workers are there: before, a job has no model. */
  private static void awaitWorkers(int count) throws Exception {
    try (BitloomClient client = client()) {
      for (int tries = 0; tries < 3000; tries++) {
        if (client.listModels().stream().mapToInt(Model::getWorkers).sum() >= count) {
          return;
        }
        Thread.sleep(100);
      }
    }
    throw new AssertionError("the workers do not come");
  }

  @AfterAll
  static void stop() throws Exception {
    if (compose != null) {
      compose.run("logs", "--no-color", "--tail", "30");
      compose.close();
    }
  }

  private static String digest(String token) throws Exception {
    return HexFormat.of()
        .formatHex(
            MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
  }

  private static BitloomClient client() {
    return BitloomClient.builder("127.0.0.1:" + compose.port("BITLOOM_PUBLISHED_GRPC"))
        .token(CLIENT_TOKEN)
        .firstContact(Duration.ofMinutes(5))
        .build();
  }

  private static Prompt prompt(int number) {
    return Prompt.newBuilder()
        .setCustomId("p" + number)
        .setPrompt("a red apple on a beach")
        .setSize("0.06M")
        .setAspectRatio("3:1")
        .setSampling(Sampling.newBuilder().addGuidance(1))
        .setSeed(number)
        .setFormat(ImageFormat.IMAGE_FORMAT_JPEG)
        .build();
  }

  private static String submit(BitloomClient client) {
    String job = client.createJob(Job.getDefaultInstance(), UUID.randomUUID().toString()).getName();
    long count =
        client.append(
            job, 0, IntStream.range(0, PROMPTS).mapToObj(ComposeIT::prompt).iterator(), n -> {});
    client.seal(job, count);
    return job;
  }

  @Test
  void everyPromptHasOneResultThoughEveryProgramIsReplacedMeanwhile() throws Exception {
    Map<String, PromptResult> results = new TreeMap<>();
    try (BitloomClient client = client()) {
      String job = submit(client);
      try (ResumingStream<ReadResultsResponse> stream = client.followResults(job, "")) {
        while (stream.hasNext()) {
          PromptResult result = stream.next().getResult();
          assertTrue(results.put(result.getCustomId(), result) == null, result.getCustomId());
          String service = REPLACED.get(results.size());
          if (service != null) {
            replace(service);
            // A call of its own in what is an outage to others: the SDK repeats it.
            assertEquals(PROMPTS, client.getJob(job).getCounts().getAppended());
          }
        }
      }
      Job done = client.getJob(job);
      assertEquals(JobState.JOB_STATE_SUCCEEDED, done.getState());
      assertEquals(PROMPTS, done.getCounts().getSucceeded());
      assertEquals(0, done.getCounts().getFailed());
    }
    assertEquals(PROMPTS, results.size());
    for (PromptResult result : results.values()) {
      assertEquals(1, result.getImages().getImagesCount(), result.getCustomId());
      assertTrue(
          ImageIO.read(result.getImages().getImages(0).getData().newInput()) != null,
          result.getCustomId());
    }
    assertTrue(
        results.values().stream()
                .map(result -> result.getProvenance().getWorker())
                .distinct()
                .count()
            >= 3,
        "those that were replaced and those that came have drawn");
  }

  /** The old one has ended by itself, and did not have to be killed. */
  private static void replace(String service) throws Exception {
    String old = compose.container(service).getId();
    assertEquals(0, compose.replace(service), service);
    assertNotEquals(old, compose.container(service).getId());
  }

  @Test
  void containersAreLockedDown() throws Exception {
    for (String service : List.of("coordinator", "worker-1", "worker-2")) {
      InspectContainerResponse container = compose.container(service);
      assertEquals("10001:10001", container.getConfig().getUser(), service);
      assertEquals(Boolean.TRUE, container.getHostConfig().getReadonlyRootfs(), service);
      assertFalse(compose.canRun(service, "/bin/sh", "-c", "true"), service);
      assertTrue(compose.canRun(service, "/opt/java/bin/java", "-version"), service);
    }
  }

  @Test
  void theClientsContainerSubmitsAFileAndSavesItsImages() throws Exception {
    Files.writeString(
        files.resolve("prompts.jsonl"),
        """
        {"custom_id": "png", "prompt": "a red apple on a beach", "size": "0.06M", "format": "png"}
        {"custom_id": "jpeg", "prompt": "a red apple on a beach", "size": "0.06M", "format": "jpeg"}
        {"custom_id": "webp", "prompt": "a red apple on a beach", "size": "0.06M", "format": "webp"}
        """);
    compose.run("run", "--rm", "-T", "client", "submit", "prompts.jsonl", "--out", "pictures");
    for (String image : List.of("png.png", "jpeg.jpg", "webp.webp", "contact-sheet.png")) {
      assertTrue(Files.size(files.resolve("pictures").resolve(image)) > 0, image);
    }
    assertEquals(
        10001, Files.getAttribute(files.resolve("pictures/png.png"), "unix:uid"), "the user");
  }

  @Test
  void probesAreAnswered() throws Exception {
    HttpClient http = HttpClient.newHttpClient();
    for (String path : Programs.PATHS) {
      URI uri = URI.create("http://127.0.0.1:" + compose.port("BITLOOM_PUBLISHED_HTTP") + path);
      int status =
          http.send(
                  HttpRequest.newBuilder(uri)
                      .header("Authorization", "Bearer " + CLIENT_TOKEN)
                      .build(),
                  HttpResponse.BodyHandlers.discarding())
              .statusCode();
      assertEquals(200, status, path);
    }
  }
}
