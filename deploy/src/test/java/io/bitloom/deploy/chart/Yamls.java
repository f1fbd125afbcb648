package io.bitloom.deploy.chart;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.StreamSupport;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** YAML as maps, lists and scalars; a key that is there twice is refused. */
final class Yamls {

  private Yamls() {}

  private static Yaml yaml() {
    LoaderOptions options = new LoaderOptions();
    options.setAllowDuplicateKeys(false);
    return new Yaml(new SafeConstructor(options));
  }

  /** All documents of a text that are not empty. */
  static List<Map<String, Object>> documents(String text) {
    return StreamSupport.stream(yaml().loadAll(text).spliterator(), false)
        .filter(Objects::nonNull)
        .map(Yamls::map)
        .toList();
  }

  /** The only document of a file; empty if there is none. */
  static Map<String, Object> read(Path file) {
    try {
      List<Map<String, Object>> documents = documents(Files.readString(file));
      return documents.isEmpty() ? Map.of() : documents.get(0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String write(Map<String, Object> document) {
    return new Yaml().dump(document);
  }

  /** Values over others, as Helm lays them: maps are merged, all else is replaced. */
  static Map<String, Object> merged(Map<String, Object> below, Map<String, Object> above) {
    Map<String, Object> merged = new LinkedHashMap<>(below);
    above.forEach(
        (key, value) ->
            merged.put(
                key,
                value instanceof Map && merged.get(key) instanceof Map
                    ? merged(map(merged.get(key)), map(value))
                    : value));
    return merged;
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> map(Object value) {
    return (Map<String, Object>) value;
  }

  /** What is found by going down keys and places in lists; null if it is not there. */
  static Object at(Object value, Object... path) {
    Object here = value;
    for (Object step : path) {
      if (here instanceof Map<?, ?> map) {
        here = map.get(step);
      } else if (here instanceof List<?> list && step instanceof Integer place) {
        here = place < list.size() ? list.get(place) : null;
      } else {
        return null;
      }
    }
    return here;
  }
}
