package io.bitloom.deploy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.Yaml;

/** The alerts that are deployed. */
final class AlertRules {

  static final Path FILE = Installed.HOME.resolve("deploy/prometheus/bitloom-alerts.yaml");

  /** An alert, as Prometheus reads it. */
  record Rule(String alert, String expr, String severity, Map<String, String> annotations) {}

  private AlertRules() {}

  @SuppressWarnings("unchecked")
  static List<Rule> all() throws IOException {
    Map<String, List<Map<String, Object>>> yaml = new Yaml().load(Files.readString(FILE));
    return yaml.get("groups").stream()
        .flatMap(group -> ((List<Map<String, Object>>) group.get("rules")).stream())
        .map(
            rule ->
                new Rule(
                    rule.get("alert").toString(),
                    rule.get("expr").toString(),
                    ((Map<String, String>) rule.get("labels")).get("severity"),
                    (Map<String, String>) rule.get("annotations")))
        .toList();
  }
}
