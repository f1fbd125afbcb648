package io.bitloom.deploy;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** The dashboard that is deployed, as Grafana reads it. */
record Dashboard(JsonObject json) {

  static final Path FILE = Installed.HOME.resolve("deploy/grafana/bitloom.json");

  /** What stands for a choice of all in a variable of Grafana. */
  private static final String ALL = ".*";

  /**
   * A part of the page.
   *
   * @param unit how Grafana calls the unit of its values
   * @param limits from which value on a number is shown in which colour
   * @param most at the end of the axis, if that is not what the values need
   */
  record Panel(
      String title,
      String type,
      String unit,
      SortedMap<Double, String> limits,
      Optional<Double> most,
      Place place,
      boolean stacked,
      List<Query> queries) {}

  /** Where a panel is, in Grafana's units: the page is 24 wide. */
  record Place(int x, int y, int w, int h) {}

  /** What Prometheus is asked, and how a line is called. */
  record Query(String expr, String legend) {}

  static Dashboard read() throws IOException {
    return new Dashboard(JsonParser.parseString(Files.readString(FILE)).getAsJsonObject());
  }

  /**
   * All panels, with queries as Grafana sends them when everything is chosen.
   *
   * @param rateInterval over how long rates are taken, {@code 5s}
   * @param range that is looked at, {@code 60s}
   */
  List<Panel> panels(String rateInterval, String range) {
    Map<String, String> values =
        Map.of(
            "$__rate_interval", rateInterval,
            "$__range", range,
            "$model", ALL,
            "$worker", ALL,
            "$price", variable("price").get("query").getAsString());
    return elements(json, "panels").map(panel -> panel(panel, values)).toList();
  }

  /** A variable that somebody who looks at the page chooses. */
  JsonObject variable(String name) {
    return elements(json.getAsJsonObject("templating"), "list")
        .filter(variable -> variable.get("name").getAsString().equals(name))
        .findAny()
        .orElseThrow();
  }

  private static Panel panel(JsonObject panel, Map<String, String> values) {
    JsonObject place = panel.getAsJsonObject("gridPos");
    JsonObject defaults = panel.getAsJsonObject("fieldConfig").getAsJsonObject("defaults");
    return new Panel(
        panel.get("title").getAsString(),
        panel.get("type").getAsString(),
        defaults.get("unit").getAsString(),
        limits(defaults),
        Optional.ofNullable(defaults.get("max")).map(JsonElement::getAsDouble),
        new Place(
            place.get("x").getAsInt(),
            place.get("y").getAsInt(),
            place.get("w").getAsInt(),
            place.get("h").getAsInt()),
        defaults.toString().contains("\"mode\":\"normal\""),
        elements(panel, "targets")
            .map(
                target ->
                    new Query(
                        substituted(target.get("expr").getAsString(), values),
                        target.get("legendFormat").getAsString()))
            .toList());
  }

  private static SortedMap<Double, String> limits(JsonObject defaults) {
    SortedMap<Double, String> limits = new TreeMap<>();
    if (defaults.has("thresholds")) {
      elements(defaults.getAsJsonObject("thresholds"), "steps")
          .filter(step -> !step.get("value").isJsonNull())
          .forEach(
              step -> limits.put(step.get("value").getAsDouble(), step.get("color").getAsString()));
    }
    return limits;
  }

  private static String substituted(String expr, Map<String, String> values) {
    String query = expr;
    for (Map.Entry<String, String> value : values.entrySet()) {
      query = query.replace(value.getKey(), value.getValue());
    }
    if (query.contains("$")) {
      throw new AssertionError("a variable is left in " + query);
    }
    return query;
  }

  private static Stream<JsonObject> elements(JsonObject of, String name) {
    return StreamSupport.stream(of.getAsJsonArray(name).spliterator(), false)
        .map(JsonElement::getAsJsonObject);
  }
}
