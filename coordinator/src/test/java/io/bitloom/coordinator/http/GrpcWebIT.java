package io.bitloom.coordinator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.ConnectionsConfig;
import io.bitloom.coordinator.config.ListenConfig;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What pages of other sites can do: call the API if their site is named, by gRPC-Web too. */
class GrpcWebIT {

  private static final String APP = "https://app.example";
  private static final String GET_JOB = "/bitloom.v1.BatchService/GetJob";

  @TempDir static Path directory;
  @TempDir static Path folder;
  private static TestCoordinator coordinator;
  private final HttpClient http = HttpClient.newHttpClient();

  @BeforeAll
  static void start() throws Exception {
    coordinator =
        TestCoordinator.start(
            directory,
            new ListenConfig(
                "127.0.0.1",
                0,
                0,
                Optional.empty(),
                AccessConfig.LOOPBACK,
                List.of(),
                List.of(APP),
                ConnectionsConfig.DEFAULTS));
    coordinator.worker("worker-1", FakeBehaviour.DEFAULT.withBatch(8, Duration.ofMillis(1)));
  }

  @AfterAll
  static void stop() {
    coordinator.close();
  }

  private static void copy(String resource, String name) throws Exception {
    try (InputStream file = GrpcWebIT.class.getResourceAsStream(resource)) {
      Files.copy(file, folder.resolve(name));
    }
  }

  @Test
  void aClientForBrowsersHasAWholeJobDrawn() throws Exception {
    for (String file : List.of("package.json", "package-lock.json", "whole-job.js")) {
      copy("web/" + file, file);
    }
    copy("/bitloom/v1/descriptors.pb", "descriptors.pb");
    NodeProgram.require(folder, "npm", "ci", "--no-audit", "--no-fund");
    List<String> said =
        NodeProgram.run(folder, "node", "whole-job.js", coordinator.http(""), "descriptors.pb")
            .lines()
            .toList();
    assertEquals(
        List.of(
            "appended 10", "appended 20", "appended 30", "ended JOB_STATE_SUCCEEDED", "images 30"),
        said.subList(0, 5));
    assertTrue(said.get(5).startsWith("error 5 "), said.get(5)); // NOT_FOUND
    assertTrue(said.get(5).endsWith(" google.rpc.ErrorInfo google.rpc.BadRequest"), said.get(5));
  }

  private HttpResponse<String> call(String verb, String path, String... headers) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(coordinator.http(path)))
            .method(verb, HttpRequest.BodyPublishers.ofString(verb.equals("POST") ? "x" : ""));
    return http.send(request.headers(headers).build(), HttpResponse.BodyHandlers.ofString());
  }

  private static String header(HttpResponse<String> response, String name) {
    return response.headers().firstValue(name).orElse("");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/api/v1/jobs", GET_JOB})
  void aSiteThatIsNamedMayCall(String path) throws Exception {
    HttpResponse<String> asked =
        call("OPTIONS", path, "Origin", APP, "Access-Control-Request-Method", "POST");
    assertEquals(204, asked.statusCode());
    assertEquals(APP, header(asked, "Access-Control-Allow-Origin"));
    assertTrue(header(asked, "Access-Control-Allow-Headers").contains("Authorization"));
    assertEquals("", header(asked, "Access-Control-Allow-Credentials"));
    HttpResponse<String> answer = call("GET", "/api/v1/limits", "Origin", APP);
    assertEquals(200, answer.statusCode());
    assertEquals(APP, header(answer, "Access-Control-Allow-Origin"));
  }

  @ParameterizedTest
  @CsvSource({
    "/api/v1/jobs, https://evil.example",
    "/api/v1/jobs, http://app.example",
    GET_JOB + ", https://evil.example",
    "/metrics, https://app.example",
    "/jobs, https://app.example"
  })
  void allElseIsRefused(String path, String origin) throws Exception {
    assertEquals(403, call("GET", path, "Origin", origin).statusCode());
    HttpResponse<String> asked =
        call("OPTIONS", path, "Origin", origin, "Access-Control-Request-Method", "POST");
    assertEquals(403, asked.statusCode());
    assertEquals("", header(asked, "Access-Control-Allow-Origin"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"text/plain", "application/json", "application/grpc", "x"})
  void otherBodiesAreNotTakenForGrpcWeb(String type) throws Exception {
    assertEquals(415, call("POST", GET_JOB, "Content-Type", type).statusCode());
  }

  @Test
  void bytesThatAreNoMessageAreRefused() throws Exception {
    HttpResponse<String> answer =
        call("POST", GET_JOB, "Content-Type", "application/grpc-web+proto");
    assertEquals(200, answer.statusCode());
    assertTrue(answer.body().contains("grpc-status:3\r\n"), answer.body());
    assertTrue(answer.body().contains("the last message is not complete"), answer.body());
  }
}
