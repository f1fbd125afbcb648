package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** The documented schema of what commands print, and what was seen of it. */
final class EventSchema {

  private static final Path DOCS = BitloomProcess.HOME.resolve("docs/reference");

  private final JsonObject schema;
  private final SchemaRegistry registry =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
  private final Set<String> seen = new TreeSet<>();

  EventSchema() {
    try {
      schema =
          JsonParser.parseString(Files.readString(DOCS.resolve("events.schema.json")))
              .getAsJsonObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Events of the schema. */
  Set<String> events() {
    Set<String> events = new TreeSet<>();
    schema
        .getAsJsonArray("oneOf")
        .forEach(
            reference ->
                events.add(
                    reference.getAsJsonObject().get("$ref").getAsString().replaceAll(".*/", "")));
    return events;
  }

  /** Events that were checked. */
  Set<String> seen() {
    return seen;
  }

  /** Every line must be an event as it is documented. */
  void checkEvents(String command, String lines) {
    for (String line : lines.lines().toList()) {
      JsonObject event = JsonParser.parseString(line).getAsJsonObject();
      assertTrue(event.has("event"), () -> command + " printed " + line);
      String name = event.get("event").getAsString();
      assertTrue(events().contains(name), () -> command + " printed the unknown event " + line);
      check(name, line);
      seen.add(name);
    }
  }

  /** A document must be what one of the definitions says. */
  void check(String definition, String json) {
    JsonObject only = new JsonObject();
    only.addProperty("$ref", "#/$defs/" + definition);
    only.addProperty("unevaluatedProperties", false);
    only.add("$defs", schema.get("$defs"));
    Schema compiled = registry.getSchema(only.toString(), InputFormat.JSON);
    assertEquals(
        List.of(),
        compiled.validate(json, InputFormat.JSON).stream().map(Object::toString).toList(),
        () -> definition + " " + json);
  }

  /** The page for people. */
  static String page() throws IOException {
    return Files.readString(DOCS.resolve("events.md"));
  }
}
