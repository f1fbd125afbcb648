package io.bitloom.coordinator.http;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.protobuf.ByteString;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.DeleteJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.ReportTrainingRunRequest;
import io.bitloom.v1.ReportTrainingRunResponse;
import io.bitloom.v1.TrainingPicture;
import io.bitloom.v1.TrainingRun;
import io.bitloom.v1.TrainingServiceGrpc;
import io.bitloom.v1.TrainingState;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpPortIT {

  private static final String HOSTILE = "<script>alert(1)</script>";

  @TempDir static Path directory;
  private static TestCoordinator coordinator;
  private static Job done;
  private final HttpClient http = HttpClient.newHttpClient();

  @BeforeAll
  static void start() throws Exception {
    coordinator = TestCoordinator.start(directory);
    coordinator.worker("worker-1", FakeBehaviour.DEFAULT.withBatch(8, Duration.ofMillis(1)));
    done = coordinator.submit(prompts(12, "1:1", "3:2"));
    coordinator.results(done.getName());
    coordinator
        .batch()
        .createJob(
            CreateJobRequest.newBuilder().setJob(Job.newBuilder().setDisplayName(HOSTILE)).build());
  }

  @AfterAll
  static void stop() {
    coordinator.close();
  }

  private HttpResponse<String> get(String path) throws Exception {
    return http.send(
        HttpRequest.newBuilder(URI.create(coordinator.http(path))).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private JsonObject json(String path) throws Exception {
    HttpResponse<String> response = get(path);
    assertEquals("application/json", response.headers().firstValue("Content-Type").orElse(""));
    return JsonParser.parseString(response.body()).getAsJsonObject();
  }

  @Test
  void healthIsGreen() throws Exception {
    assertEquals(200, get("/health/live").statusCode());
    assertEquals(200, get("/health/ready").statusCode());
  }

  @Test
  void metricsTellWhatHappened() throws Exception {
    String metrics = get("/metrics").body();
    for (String line :
        new String[] {
          "bitloom_images_total{model=\"fake\",schedule=\"1.0_0.06M\"} 6.0",
          "bitloom_images_total{model=\"fake\",schedule=\"0.666_0.06M\"} 6.0",
          "bitloom_outcomes_total{outcome=\"succeeded\"} 12.0",
          "bitloom_queue_prompts{model=\"fake\",schedule=\"1.0_0.06M\"} 0.0",
          "bitloom_redis_up 1.0"
        }) {
      assertTrue(metrics.contains(line + "\n"), line + " is not in\n" + metrics);
    }
    for (String name :
        new String[] {
          "bitloom_batches_total{",
          "bitloom_batch_fill_bucket{",
          "bitloom_queue_age_seconds{",
          "bitloom_rpc_seconds_count{method=\"bitloom.v1.BatchService/SealJob\",status=\"OK\"}",
          "jvm_memory_used_bytes{"
        }) {
      assertTrue(metrics.contains("\n" + name), name);
    }
  }

  @Test
  void jobsAreThereAsJson() throws Exception {
    JsonObject page = json("/api/v1/jobs");
    assertEquals(2, page.getAsJsonArray("jobs").size());
    JsonObject job = json("/api/v1/" + done.getName());
    assertEquals("SUCCEEDED", job.get("state").getAsString());
    assertEquals(12, job.getAsJsonObject("counts").get("succeeded").getAsLong());
    assertEquals(
        1, json("/api/v1/jobs?state=SUCCEEDED&page_size=10").getAsJsonArray("jobs").size());
    for (String state : new String[] {"succeeded", "JOB_STATE_SUCCEEDED", "failed,succeeded"}) {
      assertEquals(1, json("/api/v1/jobs?state=" + state).getAsJsonArray("jobs").size(), state);
    }
    JsonPrimitive count = job.getAsJsonObject("counts").get("succeeded").getAsJsonPrimitive();
    assertTrue(count.isNumber(), "a count is a number");
    assertEquals(
        "fake",
        json("/api/v1/models")
            .getAsJsonArray("models")
            .get(0)
            .getAsJsonObject()
            .get("name")
            .getAsString());
  }

  @Test
  void promptsAndTheClusterAreThereAsJson() throws Exception {
    JsonArray prompts =
        json("/api/v1/" + done.getName() + "/prompts?state=succeeded&filter=offset%20%3C%203")
            .getAsJsonArray("prompts");
    assertEquals(3, prompts.size());
    JsonObject prompt = prompts.get(0).getAsJsonObject();
    assertEquals("SUCCEEDED", prompt.get("state").getAsString());
    assertEquals("PNG", prompt.getAsJsonObject("prompt").get("format").getAsString());
    JsonObject worker = json("/api/v1/cluster").getAsJsonArray("workers").get(0).getAsJsonObject();
    assertTrue(worker.get("connect_time").getAsString().endsWith("Z"), worker.toString());
    assertTrue(worker.get("images_done").getAsJsonPrimitive().isNumber(), worker.toString());
  }

  @ParameterizedTest
  @CsvSource({
    "/api/v1/jobs/nowhere/prompts, 404, JOB_NOT_FOUND, name",
    "/api/v1/jobs/nowhere, 404, JOB_NOT_FOUND, name",
    "/api/v1/jobs/a%2Fb, 400, INVALID_FIELD, name",
    "/api/v1/jobs?page_size=x, 400, INVALID_FIELD, page_size",
    "/api/v1/jobs?page_size=5000, 400, INVALID_FIELD, page_size",
    "/api/v1/jobs?page_token=x, 400, INVALID_FIELD, page_token",
    "/api/v1/jobs?state=DONE, 400, INVALID_FIELD, state"
  })
  void badRequestsNameTheField(String path, int status, String reason, String field)
      throws Exception {
    HttpResponse<String> response = get(path);
    assertEquals(status, response.statusCode());
    JsonObject error =
        JsonParser.parseString(response.body()).getAsJsonObject().getAsJsonObject("error");
    assertEquals(reason, error.get("reason").getAsString());
    assertEquals(
        field, error.getAsJsonArray("fields").get(0).getAsJsonObject().get("field").getAsString());
  }

  private HttpResponse<String> post(String path, String... headers) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(coordinator.http(path)))
            .POST(HttpRequest.BodyPublishers.noBody());
    if (headers.length > 0) {
      request.headers(headers);
    }
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void jobsArePausedResumedAndCancelledByThePageAndByNoOther() throws Exception {
    Job job = coordinator.newJob();
    String path = "/api/v1/" + job.getName();
    assertEquals(403, post(path + "/pause").statusCode());
    assertEquals("ACCEPTING", json(path).get("state").getAsString());
    assertEquals(200, post(path + "/pause", "X-Bitloom", "page").statusCode());
    assertEquals("PAUSED", json(path).get("state").getAsString());
    assertEquals(200, post(path + "/resume", "X-Bitloom", "page").statusCode());
    assertEquals("ACCEPTING", json(path).get("state").getAsString());
    assertEquals(200, post(path + "/cancel", "X-Bitloom", "page").statusCode());
    assertEquals("CANCELLED", json(path).get("state").getAsString());
    assertEquals(400, post(path + "/pause", "X-Bitloom", "page").statusCode());
    coordinator.batch().deleteJob(DeleteJobRequest.newBuilder().setName(job.getName()).build());
  }

  @Test
  void trainingRunsAreShownAndAreStoppedByThePageAndByNoOther() throws Exception {
    byte[] png = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    TrainingRun run =
        TrainingRun.newBuilder()
            .setId("run-1")
            .setProcess("p")
            .setName(HOSTILE)
            .setState(TrainingState.TRAINING_STATE_RUNNING)
            .setStep(3)
            .setSteps(10)
            .putNumbers("loss", 0.5)
            .build();
    ReportTrainingRunRequest report =
        ReportTrainingRunRequest.newBuilder()
            .setRun(run)
            .setPicture(TrainingPicture.newBuilder().setStep(2).setPng(ByteString.copyFrom(png)))
            .build();
    var training = TrainingServiceGrpc.newBlockingStub(coordinator.channel());
    ReportTrainingRunResponse answer = training.reportTrainingRun(report);
    assertFalse(answer.getStop());
    assertEquals(2, answer.getPictureStep());
    JsonObject shown = json("/api/v1/training").getAsJsonArray("runs").get(0).getAsJsonObject();
    assertEquals(HOSTILE, shown.get("name").getAsString());
    assertEquals(0.5, shown.getAsJsonObject("numbers").get("loss").getAsDouble());
    assertEquals(2, shown.get("picture_step").getAsInt());
    assertEquals(
        "image/png",
        get("/api/v1/training/run-1/picture").headers().firstValue("Content-Type").orElse(""));
    assertEquals(404, get("/api/v1/training/none/picture").statusCode());
    assertEquals(403, post("/api/v1/training/run-1/stop").statusCode());
    assertFalse(training.reportTrainingRun(report).getStop());
    assertEquals(200, post("/api/v1/training/run-1/stop", "X-Bitloom", "page").statusCode());
    assertTrue(training.reportTrainingRun(report).getStop());
    assertEquals(404, post("/api/v1/training/none/stop", "X-Bitloom", "page").statusCode());
  }

  @ParameterizedTest
  @ValueSource(strings = {"/jobs", "/training", "/api"})
  void aPageRunsFilesOfThisPortOnlyAndFindsThemAll(String path) throws Exception {
    HttpResponse<String> page = get(path);
    assertEquals(200, page.statusCode());
    String policy = page.headers().firstValue("Content-Security-Policy").orElse("");
    assertTrue(policy.contains("default-src 'none'"), policy);
    assertTrue(policy.contains("script-src 'self';"), policy);
    assertFalse(policy.contains("unsafe"), policy);
    assertFalse(page.body().contains("://"), "a page asks no other site");
    assertEquals(302, get("/").statusCode());
    List<String> parts = new ArrayList<>(parts(page.body(), "(?:href|src)=\"(/pages/[^\"]+)\""));
    assertEquals(4, parts.size(), parts.toString()); // icon, two styles and a script
    String script = get(parts.get(3)).body();
    parts(script, "from \"\\.(/[^\"]+)\"").forEach(part -> parts.add("/pages" + part));
    assertTrue(parts.contains("/pages/pages.js"), parts.toString());
    for (String part : parts) {
      HttpResponse<String> answer = get(part);
      assertEquals(200, answer.statusCode(), part);
      String type = answer.headers().firstValue("Content-Type").orElse("");
      assertEquals(part.endsWith(".js"), type.startsWith("text/javascript"), part + " " + type);
      assertEquals(part.endsWith(".css"), type.startsWith("text/css"), part + " " + type);
      assertFalse(answer.body().contains("innerHTML"), part);
    }
  }

  private static List<String> parts(String text, String reference) {
    return Pattern.compile(reference).matcher(text).results().map(found -> found.group(1)).toList();
  }

  @Test
  void viewersGetTheStateAsEvents() throws Exception {
    HttpResponse<java.io.InputStream> events =
        http.send(
            HttpRequest.newBuilder(URI.create(coordinator.http("/api/v1/events"))).build(),
            HttpResponse.BodyHandlers.ofInputStream());
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(events.body(), StandardCharsets.UTF_8))) {
      String line = lines.readLine();
      while (!line.startsWith("data: ")) {
        line = lines.readLine();
      }
      JsonObject state =
          JsonParser.parseString(line.substring("data: ".length())).getAsJsonObject();
      assertEquals(2, state.getAsJsonArray("jobs").size());
      assertEquals(
          HOSTILE,
          state.getAsJsonArray("jobs").get(0).getAsJsonObject().get("display_name").getAsString());
      assertEquals(
          "worker-1",
          state.getAsJsonArray("workers").get(0).getAsJsonObject().get("id").getAsString());
    }
  }
}
