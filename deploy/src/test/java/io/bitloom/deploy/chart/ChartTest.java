package io.bitloom.deploy.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.marcnuri.helm.LintResult;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The chart with each combination of values in {@code values/}. */
class ChartTest {

  static Set<String> combinations() {
    return Chart.combinations().keySet();
  }

  @Test
  void thereAreAtLeastTwelveCombinations() {
    assertTrue(combinations().size() >= 12, () -> combinations().toString());
  }

  @ParameterizedTest
  @MethodSource("combinations")
  void helmHasNothingToSayAgainstIt(String combination, @TempDir Path folder) throws IOException {
    Map<String, Object> values =
        Yamls.merged(
            Yamls.read(Chart.FOLDER.resolve("values.yaml")),
            Yamls.read(Chart.combinations().get(combination)));
    LintResult result = Chart.lint(folder, values);
    assertFalse(result.isFailed(), () -> result.getMessages().toString());
    Stream<String> remarks = result.getMessages().stream().filter(it -> !it.contains("icon is"));
    assertEquals(List.of(), remarks.toList());
  }

  @ParameterizedTest
  @MethodSource("combinations")
  void itsObjectsAreWhatKubernetesKnowsAndFitTogether(String combination) {
    Manifests manifests = Chart.rendered(Chart.combinations().get(combination));
    assertFalse(manifests.objects().isEmpty());
    assertEquals(List.of(), ChartRules.faults(manifests));
  }
}
