package io.bitloom.coordinator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.RawConnection;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.ListJobsRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Jobs by JSON over HTTP, as {@code curl} has them. */
class BridgeIT {

  private static final String JSON = "application/json";
  private static final String LINES = "application/x-ndjson";
  private static final int MIB = 1 << 20;

  @TempDir static Path directory;
  private static TestCoordinator coordinator;
  private final HttpClient http = HttpClient.newHttpClient();

  @BeforeAll
  static void start() throws Exception {
    coordinator = TestCoordinator.start(directory);
    coordinator.announce("nobodys", "0.06M");
    coordinator.worker("worker-1", FakeBehaviour.DEFAULT.withBatch(8, Duration.ofMillis(1)));
  }

  @AfterAll
  static void stop() {
    coordinator.close();
  }

  private static HttpRequest request(String verb, String path, String type, BodyPublisher body) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(coordinator.http("/api/v1" + path)))
            .method(verb, body)
            .header("X-Bitloom", "test");
    return (type == null ? request : request.header("Content-Type", type)).build();
  }

  private HttpResponse<String> call(String verb, String path, String type, String body)
      throws Exception {
    BodyPublisher publisher =
        body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body);
    return http.send(request(verb, path, type, publisher), BodyHandlers.ofString());
  }

  private static JsonObject json(HttpResponse<String> response) {
    assertEquals(JSON, response.headers().firstValue("Content-Type").orElse(""), response::body);
    return JsonParser.parseString(response.body()).getAsJsonObject();
  }

  private JsonObject done(String verb, String path, String body) throws Exception {
    HttpResponse<String> response = call(verb, path, body == null ? null : JSON, body);
    assertEquals(200, response.statusCode(), response.body());
    return json(response);
  }

  private String newJob() throws Exception {
    return "/" + done("POST", "/jobs", "{\"model\":\"fake\"}").get("name").getAsString();
  }

  private static JsonObject error(HttpResponse<String> response) {
    return json(response).getAsJsonObject("error");
  }

  private static String field(JsonObject error) {
    JsonArray fields = error.getAsJsonArray("fields");
    return fields.isEmpty() ? "" : fields.get(0).getAsJsonObject().get("field").getAsString();
  }

  /** A message of AppendPrompts. */
  private static String prompts(int offset, int count) {
    return IntStream.range(offset, offset + count)
        .mapToObj(
            i -> "{\"custom_id\":\"p/" + i + "\",\"prompt\":\"fox " + i + "\",\"size\":\"0.06M\"}")
        .collect(Collectors.joining(",", "{\"offset\":" + offset + ",\"prompts\":[", "]}"));
  }

  private List<JsonObject> lines(String path) throws Exception {
    HttpResponse<String> response = call("GET", path, null, null);
    assertEquals(200, response.statusCode(), response.body());
    assertEquals(LINES, response.headers().firstValue("Content-Type").orElse(""));
    return response
        .body()
        .lines()
        .filter(line -> !line.isBlank())
        .map(line -> JsonParser.parseString(line).getAsJsonObject())
        .toList();
  }

  @Test
  void aWholeJob() throws Exception {
    JsonObject created =
        done(
            "POST",
            "/jobs?request_id=whole-job",
            "{\"model\":\"fake\",\"display_name\":\"Füchse\",\"labels\":{\"team\":\"art\"},\"priority\":7,"
                + "\"defaults\":{\"seed\":9007199254740993,\"format\":\"png\"}}");
    String job = "/" + created.get("name").getAsString();
    assertEquals("ACCEPTING", created.get("state").getAsString());
    assertEquals(9007199254740993L, created.getAsJsonObject("defaults").get("seed").getAsLong());
    assertEquals("Füchse", created.get("display_name").getAsString());
    HttpResponse<String> appended =
        call("POST", job + "/prompts", LINES, prompts(0, 300) + "\n\n" + prompts(300, 200) + "\n");
    assertEquals(200, appended.statusCode(), appended.body());
    assertEquals(500, json(appended).get("next_offset").getAsInt());
    assertEquals(
        501, done("POST", job + "/prompts", prompts(500, 1)).get("next_offset").getAsInt());
    done("POST", job + "/seal", "{\"expected_prompts\":501}");

    List<JsonObject> watched = lines(job + "/watch?prompts=true");
    assertEquals(
        501, watched.stream().filter(event -> event.has("prompt")).count(), "one event a prompt");
    JsonObject last = watched.get(watched.size() - 1).getAsJsonObject("job");
    assertEquals("SUCCEEDED", last.get("state").getAsString());

    List<JsonObject> results = lines(job + "/results?follow=true");
    Set<String> ids = new HashSet<>();
    for (JsonObject one : results) {
      JsonObject result = one.getAsJsonObject("result");
      ids.add(result.get("custom_id").getAsString());
      JsonObject image =
          result.getAsJsonObject("images").getAsJsonArray("images").get(0).getAsJsonObject();
      assertEquals(
          image.get("size_bytes").getAsInt(),
          Base64.getDecoder().decode(image.get("data").getAsString()).length);
    }
    assertEquals(501, ids.size());
    String cursor = results.get(499).get("cursor").getAsString();
    assertEquals(
        results.get(500).getAsJsonObject("result").get("custom_id"),
        lines(job + "/results?references_only=true&after_cursor=" + cursor)
            .get(0)
            .getAsJsonObject("result")
            .get("custom_id"));
    assertEquals(
        "p/7",
        done("GET", job + "/prompts/p%2F7?references_only=true", null)
            .getAsJsonObject("prompt")
            .get("custom_id")
            .getAsString());
    assertEquals(0, done("GET", job + "/failures", null).getAsJsonArray("failures").size());
    JsonObject updated =
        done("PATCH", job + "?update_mask=display_name", "{\"display_name\":\"foxes\"}");
    assertEquals("foxes", updated.get("display_name").getAsString());
    assertEquals("art", updated.getAsJsonObject("labels").get("team").getAsString());
    assertEquals("{}", done("DELETE", job, null).toString());
    assertEquals(404, call("GET", job, null, null).statusCode());
  }

  @Test
  void eventsHaveCursorsForIdsAndGoOnAfterThem() throws Exception {
    String job = newJob();
    done("POST", job + "/prompts", prompts(0, 3));
    done("POST", job + "/seal", null);
    HttpRequest watch =
        HttpRequest.newBuilder(
                URI.create(coordinator.http("/api/v1" + job + "/watch?prompts=true")))
            .header("Accept", "text/event-stream")
            .build();
    HttpResponse<String> events = http.send(watch, BodyHandlers.ofString());
    assertEquals("text/event-stream", events.headers().firstValue("Content-Type").orElse(""));
    List<String> ids = events.body().lines().filter(line -> line.startsWith("id: ")).toList();
    assertEquals(3, ids.size(), events.body());
    assertTrue(events.body().endsWith("event: end\ndata: {}\n\n"), events.body());
    HttpRequest again =
        HttpRequest.newBuilder(watch.uri())
            .header("Accept", "text/event-stream")
            .header("Last-Event-ID", ids.get(1).substring("id: ".length()))
            .build();
    String rest = http.send(again, BodyHandlers.ofString()).body();
    assertEquals(1, rest.lines().filter(line -> line.startsWith("id: ")).count(), rest);
  }

  @Test
  void onePromptIsDrawnWhileItsCallerWaits() throws Exception {
    HttpResponse<String> drawn =
        call(
            "POST",
            "/generate",
            JSON,
            "{\"model\":\"fake\",\"prompt\":{\"prompt\":\"fox\",\"size\":\"0.06M\"}}");
    assertEquals(200, drawn.statusCode(), drawn.body());
    List<String> lines = drawn.body().lines().filter(line -> !line.isBlank()).toList();
    assertTrue(lines.get(0).startsWith("{\"job\":"), lines.get(0));
    assertTrue(lines.get(lines.size() - 1).startsWith("{\"result\":"), "the result is last");
  }

  @Test
  void promptsAreEstimatedAndWhatIsWrongWithThemIsSaid() throws Exception {
    String body =
        "{\"job\":{\"model\":\"fake\"}}\n"
            + prompts(0, 4).replace("\"offset\":0,", "")
            + "\n{\"prompts\":[{\"prompt\":\"\"}]}";
    HttpResponse<String> response = call("POST", "/estimate", LINES, body);
    assertEquals(200, response.statusCode(), response.body());
    assertEquals(4, json(response).get("prompts").getAsInt());
    assertEquals(1, json(response).get("invalid_prompts").getAsInt());
    assertEquals(4000, done("GET", "/limits", null).get("prompt_characters").getAsInt());
  }

  @Test
  void whatWasAppendedBeforeABadLineStays() throws Exception {
    String job = newJob();
    String body = prompts(0, 5) + "\n" + prompts(9, 1) + "\n";
    HttpResponse<String> gap = call("POST", job + "/prompts", LINES, body);
    assertEquals(400, gap.statusCode());
    assertEquals("OFFSET_OUT_OF_RANGE", error(gap).get("reason").getAsString());
    HttpResponse<String> bad =
        call("POST", job + "/prompts", LINES, prompts(5, 2) + "\n{\"prompts\":[{\"prompd\":1}]}\n");
    assertEquals(400, bad.statusCode());
    assertEquals("prompts[0].prompd", field(error(bad)));
    JsonObject counts = done("GET", job, null).getAsJsonObject("counts");
    assertTrue(counts.get("appended").getAsInt() >= 5, counts.toString());
  }

  @Test
  void aStreamOfLinesMayBeLongerThanAnyMessage() throws Exception {
    String job = newJob();
    // 24 MiB; one message may have 8.
    String padding = " ".repeat(MIB);
    Stream<InputStream> bodies =
        IntStream.range(0, 24)
            .mapToObj(i -> prompts(i, 1) + padding + "\n")
            .map(line -> new ByteArrayInputStream(line.getBytes(StandardCharsets.UTF_8)));
    InputStream all =
        new SequenceInputStream(Collections.enumeration(bodies.collect(Collectors.toList())));
    HttpResponse<String> response =
        http.send(
            request("POST", job + "/prompts", LINES, BodyPublishers.ofInputStream(() -> all)),
            BodyHandlers.ofString());
    assertEquals(200, response.statusCode(), response.body());
    assertEquals(24, json(response).get("next_offset").getAsInt());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "POST | /jobs | application/json | {'what':1} | 400 | job.what",
        "POST | /jobs?what=1 | application/json | {} | 400 | what",
        "POST | /jobs | application/json | {'labels':{'a':1}} | 400 | job.labels.a",
        "POST | /jobs | application/json | {'priority':11} | 400 | job.priority",
        "POST | /jobs | application/json | [1] | 400 | ''",
        "POST | /jobs | application/json | {'display_name':'a | 400 | ''",
        "POST | /jobs | text/plain | {} | 415 | Content-Type",
        "POST | /jobs | application/x-www-form-urlencoded | a=b | 415 | Content-Type",
        "POST | /jobs | | {} | 415 | Content-Type",
        "POST | /jobs | application/x-ndjson | {} | 415 | Content-Type",
        "POST | /jobs/x/seal?expected_prompts=1 | | | 400 | expected_prompts",
        "POST | /jobs/x/seal | | | 404 | name",
        "GET | /jobs/..%2F..%2Fmetrics | | | 400 | name",
        "GET | /jobs/%00 | | | 400 | name",
        "GET | /jobs/x/prompts/..%2Fx | | | 404 | name",
        "GET | /jobs?page_size=1&page_size=2 | | | 400 | page_size",
        "GET | /jobs/x/results | | | 404 | name",
        "GET | /jobs/x/watch?preview_pixels=9999 | | | 400 | preview_pixels",
        "PUT | /jobs/x | application/json | {} | 404 | ''",
        "GET | /nothing | | | 404 | ''"
      })
  void aBadRequestSaysWhatIsWrong(
      String verb, String path, String type, String body, int status, String field)
      throws Exception {
    HttpResponse<String> response =
        call(verb, path, type, body == null ? null : body.replace('\'', '"'));
    assertEquals(status, response.statusCode(), response.body());
    JsonObject error = error(response);
    assertEquals(status, error.get("code").getAsInt());
    assertEquals(field, field(error));
    assertFalse(error.get("message").getAsString().isEmpty());
  }

  @Test
  void bodiesThatAreTooLargeOrTooDeepAreRefused() throws Exception {
    HttpResponse<String> large =
        call("POST", "/jobs", JSON, "{\"display_name\":\"" + "x".repeat(10 * MIB) + "\"}");
    assertEquals(413, large.statusCode());
    assertTrue(error(large).get("message").getAsString().contains("8388608"));
    String deep = "{\"defaults\":" + "{\"sampling\":".repeat(MIB / 2);
    assertEquals(400, call("POST", "/jobs", JSON, deep).statusCode());
    String brackets = "{\"labels\":{\"a\":" + "[".repeat(MIB);
    assertEquals(400, call("POST", "/jobs", JSON, brackets).statusCode());
    String job = newJob();
    try (RawConnection line = new RawConnection(coordinator.httpPort())) {
      line.say(
          "POST /api/v1"
              + job
              + "/prompts HTTP/1.1\r\nHost: localhost\r\nX-Bitloom: 1\r\n"
              + "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n");
      String chunk = "10000\r\n" + "x".repeat(1 << 16) + "\r\n";
      try {
        for (int i = 0; i < 200; i++) {
          line.say(chunk);
        }
      } catch (IOException closed) {
        // as soon as there was too much
      }
    } catch (IOException closed) {
      // likewise
    }
    assertEquals(0, done("GET", job, null).getAsJsonObject("counts").get("appended").getAsInt());
  }

  @Test
  void whatIsNoTextIsRefused() throws Exception {
    byte[] latin = "{\"display_name\":\"é\"}".getBytes(StandardCharsets.ISO_8859_1);
    HttpResponse<String> response =
        http.send(
            request("POST", "/jobs", JSON, BodyPublishers.ofByteArray(latin)),
            BodyHandlers.ofString());
    assertEquals(400, response.statusCode());
    assertTrue(error(response).get("message").getAsString().contains("UTF-8"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"POST /jobs", "DELETE /jobs/x", "PATCH /jobs/x", "POST /estimate"})
  void aChangeNeedsWhatPagesOfOthersCannotSend(String call) throws Exception {
    String[] words = call.split(" ");
    URI uri = URI.create(coordinator.http("/api/v1" + words[1]));
    HttpRequest.Builder bare =
        HttpRequest.newBuilder(uri)
            .header("Content-Type", JSON)
            .method(words[0], BodyPublishers.ofString("{}"));
    assertEquals(403, http.send(bare.build(), BodyHandlers.ofString()).statusCode());
    HttpRequest.Builder basic = bare.copy().header("Authorization", "Basic OnRva2Vu");
    assertEquals(403, http.send(basic.build(), BodyHandlers.ofString()).statusCode());
    HttpRequest.Builder bearer = bare.copy().header("Authorization", "Bearer token");
    assertTrue(http.send(bearer.build(), BodyHandlers.ofString()).statusCode() != 403);
  }

  @Test
  void aCallerWhoLeavesEndsItsCall() throws Exception {
    String body = "{\"model\":\"nobodys\",\"prompt\":{\"prompt\":\"fox\",\"size\":\"0.06M\"}}";
    try (RawConnection generate = new RawConnection(coordinator.httpPort())) {
      generate.say(
          "POST /api/v1/generate HTTP/1.1\r\nHost: localhost\r\nX-Bitloom: test\r\n"
              + "Content-Type: application/json\r\nContent-Length: "
              + body.length()
              + "\r\n\r\n"
              + body);
      assertEquals("HTTP/1.1 200 OK", generate.line());
      assertEquals(1, jobsOfNobodysModel());
    }
    TestCoordinator.awaitTrue("its job was cancelled and deleted", () -> jobsOfNobodysModel() == 0);
  }

  private static int jobsOfNobodysModel() {
    return coordinator
        .batch()
        .listJobs(ListJobsRequest.newBuilder().setFilter("model = nobodys").build())
        .getJobsCount();
  }

  @Test
  void whoDoesNotWaitLongIsToldSo() throws Exception {
    String job = newJob();
    HttpRequest watch =
        HttpRequest.newBuilder(
                URI.create(coordinator.http("/api/v1" + job + "/results?follow=true")))
            .header("grpc-timeout", "200m")
            .build();
    HttpResponse<String> response = http.send(watch, BodyHandlers.ofString());
    assertEquals(504, response.statusCode(), response.body());
    assertEquals("DEADLINE_EXCEEDED", error(response).get("reason").getAsString());
  }
}
