package io.bitloom.deploy;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** A compose file as it is read, with the defaults of its variables. */
final class ComposeFile {

  static final Path FOLDER =
      Path.of(System.getProperty("bitloom.home", "..")).resolve("deploy/compose");

  private static final Pattern VARIABLE = Pattern.compile("\\$\\{([A-Z_]+):-([^}]*)}");

  private final Map<String, Object> document;

  private ComposeFile(Map<String, Object> document) {
    this.document = document;
  }

  @SuppressWarnings("unchecked")
  static ComposeFile read(String name) throws IOException {
    try (Reader reader = Files.newBufferedReader(FOLDER.resolve(name))) {
      return new ComposeFile(
          (Map<String, Object>) new Yaml(new SafeConstructor(new LoaderOptions())).load(reader));
    }
  }

  /** Its services by name. */
  @SuppressWarnings("unchecked")
  Map<String, Map<String, Object>> services() {
    return new TreeMap<>((Map<String, Map<String, Object>>) document.get("services"));
  }

  /** A list of a service, or an empty one. */
  static List<String> list(Map<String, Object> service, String key) {
    Object value = service.get(key);
    return value == null
        ? List.of()
        : ((List<?>) value).stream().map(item -> resolved(item.toString())).toList();
  }

  /** A text of a service. */
  static String text(Map<String, Object> service, String key) {
    return resolved(String.valueOf(service.get(key)));
  }

  /** The variables of a service. */
  static Map<String, String> environment(Map<String, Object> service) {
    Map<String, String> variables = new TreeMap<>();
    if (service.get("environment") instanceof Map<?, ?> given) {
      given.forEach((name, value) -> variables.put(name.toString(), resolved(value.toString())));
    }
    return variables;
  }

  private static String resolved(String text) {
    return VARIABLE.matcher(text).replaceAll(match -> Matcher.quoteReplacement(match.group(2)));
  }
}
