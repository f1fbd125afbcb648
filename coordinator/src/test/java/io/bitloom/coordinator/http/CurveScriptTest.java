package io.bitloom.coordinator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The page's own script, run by Node where there is one. */
class CurveScriptTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[[10, 20.26]]|circle {\"cx\":\"10.0\",\"cy\":\"20.3\",\"r\":3}",
        "[[1, 2], [3, 4]]|polyline {\"points\":\"1.0,2.0 3.0,4.0\"}",
        "[]|polyline {\"points\":\"\"}"
      })
  void aSinglePointIsDrawnAsADotAndSeveralAsALine(String points, String drawn) throws Exception {
    assertEquals(drawn, node("const [tag, at] = trace(" + points + "); tag + ' ' + JSON(at)"));
  }

  @Test
  void theTrainingPageDrawsItsCurvesThatWay() throws Exception {
    URL page = getClass().getResource("pages/training.js");
    String script = new String(page.openStream().readAllBytes(), StandardCharsets.UTF_8);

    assertEquals(-1, script.indexOf("polyline"), "it draws lines of its own");
  }

  /** What the last expression of a script is as text. */
  private String node(String script) throws IOException, InterruptedException {
    URL module = getClass().getResource("pages/curve.js");
    int last = script.lastIndexOf("; ") + 2;
    String whole =
        "import { readFileSync } from 'node:fs';"
            + "const source = readFileSync(new URL('"
            + module
            + "'));"
            + "const { trace } = await import('data:text/javascript;base64,' +"
            + " source.toString('base64'));"
            + "const JSON = globalThis.JSON.stringify;"
            + script.substring(0, last)
            + "process.stdout.write("
            + script.substring(last)
            + ");";
    Process node = start(whole);
    String out = new String(node.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(node.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, node.waitFor(), err);
    return out;
  }

  private static Process start(String script) {
    try {
      return new ProcessBuilder("node", "--input-type=module", "-e", script).start();
    } catch (IOException e) {
      Assumptions.abort("there is no node here: " + e.getMessage());
      throw new AssertionError(e);
    }
  }
}
