package io.bitloom.coordinator.http;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.TestCoordinator;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Calls that are made up of the OpenAPI document, with values that fit it and values that do not:
 * whatever is sent, the coordinator answers what the document says and is never to blame.
 */
class RandomCallsIT {

  private static final int CALLS = 500;
  private static final long SEED = 20_260_131;
  private static final int DEPTH = 5;

  private static final List<String> TEXTS =
      List.of(
          "",
          "fox",
          "1:1",
          "0.06M",
          "1.5s",
          "2026-01-31T00:00:00Z",
          "state = RUNNING",
          "ä😀",
          "../..",
          "%00",
          "\u0000",
          "\ud83d",
          "display_name,labels",
          "fake",
          "x".repeat(5000));
  private static final List<String> NUMBERS =
      List.of(
          "0",
          "1",
          "-1",
          "0.5",
          "3",
          "16",
          "1e3",
          "9007199254740993",
          "1e400",
          "99999999999999999999");

  @TempDir static Path directory;

  private final Random random = new Random(SEED);
  private final HttpClient http = HttpClient.newHttpClient();
  private final List<String> jobs = new ArrayList<>(List.of("none", "..", "a/b", "ä"));
  private JsonObject document;

  @Test
  void allAnswersAreOfTheDocument() throws Exception {
    try (TestCoordinator coordinator = TestCoordinator.start(directory)) {
      coordinator.worker("worker-1", FakeBehaviour.DEFAULT.withBatch(8, Duration.ofMillis(1)));
      for (int i = 0; i < 6; i++) {
        String job = coordinator.submit(prompts(5, "1:1")).getName();
        coordinator.results(job);
        jobs.add(job.substring("jobs/".length()));
      }
      document =
          JsonParser.parseString(
                  http.send(
                          HttpRequest.newBuilder(URI.create(coordinator.http("/api/openapi.json")))
                              .build(),
                          BodyHandlers.ofString())
                      .body())
              .getAsJsonObject();
      Map<Integer, Integer> statuses = new TreeMap<>();
      for (int i = 0; i < CALLS; i++) {
        statuses.merge(call(coordinator, i), 1, Integer::sum);
      }
      assertTrue(statuses.getOrDefault(200, 0) > CALLS / 10, "calls that succeed: " + statuses);
      assertTrue(statuses.getOrDefault(400, 0) > CALLS / 10, "calls that fail: " + statuses);
    }
  }

  private int call(TestCoordinator coordinator, int number) throws Exception {
    JsonObject paths = document.getAsJsonObject("paths");
    String path = any(List.copyOf(paths.keySet()));
    String verb = any(List.copyOf(paths.getAsJsonObject(path).keySet()));
    JsonObject operation = paths.getAsJsonObject(path).getAsJsonObject(verb);
    String uri = uri(path, operation);
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(coordinator.http(uri)))
            .header("X-Bitloom", "test")
            .timeout(TestCoordinator.PATIENCE);
    String body = "";
    if (operation.has("requestBody")) {
      JsonObject contents = operation.getAsJsonObject("requestBody").getAsJsonObject("content");
      String type = any(List.copyOf(contents.keySet()));
      JsonObject schema = contents.getAsJsonObject(type).getAsJsonObject("schema");
      body = value(schema, 0) + (type.equals("application/json") ? "" : "\n" + value(schema, 0));
      request.header("Content-Type", type);
    }
    request.method(verb.toUpperCase(Locale.ROOT), BodyPublishers.ofString(body));
    String what = "call " + number + " of seed " + SEED + ": " + verb + " " + uri + " " + body;
    HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
    String all = what + " → " + response.statusCode() + " " + response.body();
    assertTrue(response.statusCode() < 500, all);
    check(operation, response, all);
    return response.statusCode();
  }

  private String uri(String path, JsonObject operation) {
    String uri = path;
    StringBuilder query = new StringBuilder();
    JsonArray parameters =
        operation.has("parameters") ? operation.getAsJsonArray("parameters") : new JsonArray();
    for (JsonElement one : parameters) {
      JsonObject parameter = one.getAsJsonObject();
      String name = parameter.get("name").getAsString();
      if (parameter.get("in").getAsString().equals("path")) {
        String value = name.equals("job") ? any(jobs) : any(List.of("prompt-0", "none", "a/b"));
        uri = uri.replace("{" + name + "}", encoded(value));
      } else if (random.nextInt(4) == 0) {
        JsonElement value = value(parameter.getAsJsonObject("schema"), 0);
        JsonElement single =
            value.isJsonArray() && !value.getAsJsonArray().isEmpty()
                ? value.getAsJsonArray().get(0)
                : value;
        String text = single.isJsonPrimitive() ? single.getAsString() : single.toString();
        query.append(query.isEmpty() ? "?" : "&").append(name).append('=').append(encoded(text));
      }
    }
    return uri + query;
  }

  private static String encoded(String value) {
    return URLEncoder.encode(value, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private <T> T any(List<T> all) {
    return all.get(random.nextInt(all.size()));
  }

  /** A value of a schema, and now and then one of another kind. */
  private JsonElement value(JsonObject schema, int depth) {
    if (random.nextInt(40) == 0) {
      return JsonParser.parseString(any(List.of("null", "[]", "{\"x\":{}}", "\"x\"", "7", "true")));
    }
    if (schema.has("$ref")) {
      return value(resolved(schema), depth);
    }
    if (schema.has("enum")) {
      return schema
          .getAsJsonArray("enum")
          .get(random.nextInt(schema.getAsJsonArray("enum").size()));
    }
    return switch (schema.get("type").getAsString()) {
      case "boolean" -> new JsonPrimitive(random.nextBoolean());
      case "integer", "number" -> JsonParser.parseString(any(NUMBERS));
      case "array" -> {
        JsonArray array = new JsonArray();
        for (int i = 0; i <= random.nextInt(3); i++) {
          array.add(value(schema.getAsJsonObject("items"), depth + 1));
        }
        yield array;
      }
      case "object" -> object(schema, depth);
      default -> new JsonPrimitive(any(TEXTS));
    };
  }

  private JsonObject object(JsonObject schema, int depth) {
    JsonObject made = new JsonObject();
    if (!schema.has("properties")) {
      made.add(any(TEXTS), value(schema.getAsJsonObject("additionalProperties"), depth + 1));
      return made;
    }
    for (String name : schema.getAsJsonObject("properties").keySet()) {
      JsonObject field = schema.getAsJsonObject("properties").getAsJsonObject(name);
      if (depth < DEPTH && random.nextInt(6) == 0) {
        made.add(name, value(field, depth + 1));
      }
    }
    return made;
  }

  // What comes back

  private void check(JsonObject operation, HttpResponse<String> response, String all) {
    JsonObject responses = operation.getAsJsonObject("responses");
    String status = Integer.toString(response.statusCode());
    String range = status.charAt(0) + "XX";
    assertTrue(responses.has(status) || responses.has(range), all);
    JsonObject contents =
        responses
            .getAsJsonObject(responses.has(status) ? status : range)
            .getAsJsonObject("content");
    String type = response.headers().firstValue("Content-Type").orElse("");
    assertTrue(contents.has(type), all);
    JsonObject schema = contents.getAsJsonObject(type).getAsJsonObject("schema");
    if (type.equals("application/json")) {
      check(schema, JsonParser.parseString(response.body()), "", all);
      return;
    }
    for (String line : response.body().lines().filter(one -> !one.isBlank()).toList()) {
      check(schema, JsonParser.parseString(line), "", all);
    }
  }

  private void check(JsonObject schema, JsonElement value, String place, String all) {
    if (schema.has("$ref")) {
      check(resolved(schema), value, place, all);
      return;
    }
    switch (schema.get("type").getAsString()) {
      case "object" -> {
        assertTrue(value.isJsonObject(), () -> place + " of " + all);
        for (Map.Entry<String, JsonElement> member : value.getAsJsonObject().entrySet()) {
          String inner = place + "." + member.getKey();
          check(
              member(schema, member.getKey(), inner + " of " + all), member.getValue(), inner, all);
        }
      }
      case "array" -> {
        assertTrue(value.isJsonArray(), () -> place + " of " + all);
        value
            .getAsJsonArray()
            .forEach(item -> check(schema.getAsJsonObject("items"), item, place + "[]", all));
      }
      case "boolean" -> assertTrue(value.getAsJsonPrimitive().isBoolean(), place + " of " + all);
      case "integer" ->
          assertEquals(
              value.getAsBigDecimal().toBigInteger().toString(), value.getAsString(), place);
      case "number" -> assertTrue(value.getAsJsonPrimitive().isNumber(), place + " of " + all);
      default -> assertTrue(value.getAsJsonPrimitive().isString(), place + " of " + all);
    }
    if (schema.has("enum")) {
      assertTrue(schema.getAsJsonArray("enum").contains(value), () -> place + " of " + all);
    }
  }

  private static JsonObject member(JsonObject schema, String name, String place) {
    if (schema.has("properties") && schema.getAsJsonObject("properties").has(name)) {
      return schema.getAsJsonObject("properties").getAsJsonObject(name);
    }
    JsonElement others = schema.get("additionalProperties");
    return others != null && others.isJsonObject()
        ? others.getAsJsonObject()
        : fail(place + " is not in the document");
  }

  private JsonObject resolved(JsonObject reference) {
    String name = reference.get("$ref").getAsString();
    return document
        .getAsJsonObject("components")
        .getAsJsonObject("schemas")
        .getAsJsonObject(name.substring(name.lastIndexOf('/') + 1));
  }
}
