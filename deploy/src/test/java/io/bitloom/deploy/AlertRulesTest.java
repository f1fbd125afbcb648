package io.bitloom.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

class AlertRulesTest {

  private static final Path FOLDER = AlertRules.FILE.getParent();
  private static final Path TESTS = FOLDER.resolve("tests/bitloom-alerts.test.yaml");

  @Test
  void everyAlertFiresAndIsSilentAsItsTestsSay() throws Exception {
    Installed.assume("promtool", "prometheus");

    Installed.Said said =
        Installed.run(FOLDER, List.of("promtool", "test", "rules", TESTS.toString()));

    assertEquals(0, said.exitCode(), said::text);
  }

  @Test
  void everyAlertHasATestInWhichItFiresAndOneInWhichItDoesNot() throws Exception {
    Set<String> alerts =
        AlertRules.all().stream().map(AlertRules.Rule::alert).collect(Collectors.toSet());

    assertEquals(new TreeSet<>(alerts), tested(true));
    assertEquals(new TreeSet<>(alerts), tested(false));
  }

  @SuppressWarnings("unchecked")
  private static Set<String> tested(boolean firing) throws Exception {
    Map<String, List<Map<String, Object>>> yaml = new Yaml().load(Files.readString(TESTS));
    Stream<Map<String, Object>> checks =
        yaml.get("tests").stream()
            .flatMap(test -> ((List<Map<String, Object>>) test.get("alert_rule_test")).stream());
    return checks
        .filter(check -> ((List<?>) check.get("exp_alerts")).isEmpty() != firing)
        .map(check -> check.get("alertname").toString())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void everyAlertSaysHowBadItIsAndWhatItMeans() throws Exception {
    for (AlertRules.Rule rule : AlertRules.all()) {
      assertTrue(Set.of("critical", "warning").contains(rule.severity()), rule::toString);
      assertEquals(
          Set.of("summary", "description", "runbook_url"),
          rule.annotations().keySet(),
          rule.alert());
    }
  }
}
