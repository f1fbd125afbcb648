package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A training process and a coordinator: the run is seen on the page, and is stopped there. */
class TrainingPageIT {
  private static final Duration TIMEOUT = Duration.ofMinutes(3);

  private final HttpClient http = HttpClient.newHttpClient();
  @TempDir private Path folder;

  private BitloomProcess coordinator(Path ports) throws IOException {
    return BitloomProcess.start(
        folder,
        "coordinator",
        List.of(
            "coordinator",
            "--data=" + folder.resolve("data"),
            "--grpc-port=0",
            "--http-port=0",
            "--ports-file=" + ports));
  }

  private Path config() throws IOException {
    return Files.writeString(
        folder.resolve("train.yaml"),
        """
        folder: run
        name: seen-run
        steps: 100000
        threads: 1
        every: {log: 1, checkpoint: 1000, pictures: 2, validation: 3}
        start_from: untrained
        prompts: [a dog]
        objective: {scales: 3}
        data: {path: set, batch_tokens: 600, validation_fraction: 0.3, validation_batches: 1}
        """);
  }

  @Test
  void aRunIsSeenWithCurveAndPicturesAndStopsWhenAsked() throws Exception {
    Path ports = folder.resolve("ports.json");
    BitloomProcess set =
        BitloomProcess.run(
            folder, "set", "demo-data", "--count=8", "--out=" + folder.resolve("set"));
    assertEquals(0, set.exitCode(), set::said);
    try (BitloomProcess coordinator = coordinator(ports)) {
      await("ports", coordinator, () -> Files.exists(ports));
      JsonObject listening = JsonParser.parseString(Files.readString(ports)).getAsJsonObject();
      String page = "http://127.0.0.1:" + listening.get("http").getAsInt();
      try (BitloomProcess training =
          BitloomProcess.start(
              folder,
              "training",
              List.of(
                  "worker",
                  "--mode=train",
                  "--config=" + config(),
                  "--coordinator=127.0.0.1:" + listening.get("grpc").getAsInt()))) {
        JsonObject seen =
            awaitRun(page, training, run -> run.getAsJsonArray("validation").size() > 0);
        assertEquals("seen-run", seen.get("name").getAsString());
        assertEquals("RUNNING", seen.get("state").getAsString());
        assertTrue(seen.getAsJsonArray("training").size() >= 3, seen::toString);
        assertTrue(seen.getAsJsonObject("numbers").has("loss/scale_1"), seen::toString);
        seen = awaitRun(page, training, run -> run.get("picture_step").getAsLong() > 0);
        String path = page + "/api/v1/training/" + seen.get("id").getAsString();
        HttpResponse<byte[]> picture =
            http.send(
                HttpRequest.newBuilder(URI.create(path + "/picture")).build(),
                HttpResponse.BodyHandlers.ofByteArray());
        assertEquals("image/png", picture.headers().firstValue("Content-Type").orElse(""));
        assertEquals('P', picture.body()[1]);

        HttpRequest stop =
            HttpRequest.newBuilder(URI.create(path + "/stop"))
                .header("X-Bitloom", "test")
                .POST(HttpRequest.BodyPublishers.noBody())
                .build();
        assertEquals(200, http.send(stop, HttpResponse.BodyHandlers.ofString()).statusCode());
        assertEquals(0, training.exitCode(), training::said);
        assertTrue(training.out().contains("Training ended: stopped"), training::said);
        awaitRun(page, coordinator, run -> run.get("state").getAsString().equals("STOPPED"));
        assertTrue(Files.exists(folder.resolve("run/model/model.json")));
      }
    }
  }

  @Test
  void processesFindEachOtherThroughTheCoordinator() throws Exception {
    Path ports = folder.resolve("ports.json");
    BitloomProcess.run(folder, "set", "demo-data", "--count=8", "--out=" + folder.resolve("set"));
    Path config =
        Files.writeString(
            folder.resolve("train.yaml"),
            """
            folder: run
            steps: 2
            threads: 1
            every: {log: 1}
            start_from: untrained
            objective: {scales: 2}
            data: {path: set, batch_tokens: 1100}
            processes: {count: 2, group: a-run, timeout_seconds: 120}
            """);
    try (BitloomProcess coordinator = coordinator(ports)) {
      await("ports", coordinator, () -> Files.exists(ports));
      int port =
          JsonParser.parseString(Files.readString(ports)).getAsJsonObject().get("grpc").getAsInt();
      try (BitloomProcess second = trainer(config, port, 1);
          BitloomProcess first = trainer(config, port, 0)) {
        assertEquals(0, first.exitCode(), first::said);
        assertEquals(0, second.exitCode(), second::said);
        assertTrue(first.out().contains("step 2/2"), first::said);
      }
    }
    BitloomProcess alone =
        BitloomProcess.run(folder, "alone", "worker", "--mode=train", "--config=" + config);
    assertEquals(2, alone.exitCode(), alone::said);
    assertTrue(alone.err().contains("needs --coordinator"), alone::said);
  }

  private BitloomProcess trainer(Path config, int port, int rank) throws IOException {
    return BitloomProcess.start(
        folder,
        "rank-" + rank,
        List.of(
            "worker",
            "--mode=train",
            "--config=" + config,
            "--rank=" + rank,
            "--coordinator=127.0.0.1:" + port));
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private static void await(String what, BitloomProcess process, Condition condition)
      throws Exception {
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (!condition.holds()) {
      boolean late = System.nanoTime() > deadline || !process.isAlive();
      assertTrue(!late, () -> "waited for " + what + "; it said:\n" + process.said());
      Thread.sleep(100);
    }
  }

  /** The only run, as soon as it is as wanted. */
  private JsonObject awaitRun(String page, BitloomProcess process, Predicate<JsonObject> wanted)
      throws Exception {
    JsonObject[] found = new JsonObject[1];
    await(
        "the run",
        process,
        () -> {
          Optional<JsonObject> run = run(page).filter(wanted);
          run.ifPresent(seen -> found[0] = seen);
          return run.isPresent();
        });
    return found[0];
  }

  private Optional<JsonObject> run(String page) throws Exception {
    try {
      String body =
          http.send(
                  HttpRequest.newBuilder(URI.create(page + "/api/v1/training")).build(),
                  HttpResponse.BodyHandlers.ofString())
              .body();
      return JsonParser.parseString(body).getAsJsonObject().getAsJsonArray("runs").asList().stream()
          .findFirst()
          .map(run -> run.getAsJsonObject());
    } catch (ConnectException e) {
      return Optional.empty();
    }
  }
}
