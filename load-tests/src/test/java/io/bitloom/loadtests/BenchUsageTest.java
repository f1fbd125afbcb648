package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class BenchUsageTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "engin|did you mean engine?",
        "engine --runs 0|--runs must be at least 1, not 0",
        "engine --batch 1,0|--batch must be at least 1, not 0",
        "engine --prompt-tokens 0|--prompt-tokens must be at least 1",
        "engine --threads -1|--threads must be 0 to 1024",
        "engine --schedule 9.9_9M|there is no schedule",
        "engine --device gpu|expected auto, cpu or cuda:N",
        "engine --dtype fp7|--dtype",
        "convolutions --side 17|expected multiples of 16",
        "guidance --most 99|--most must be at most 7",
        "guidance --images 0|--images must be at least 1",
        "memory --images 0|--images must be at least 1",
        "pictures --rounds 0|--rounds must be at least 1",
        "gpu|say what to do: pack or run",
        "gpu pack|--out",
        "gpu pack --out x --part 0|--part must be 1 to 100000",
        "gpu run --model 3b|there is no model \"3b\"",
        "gpu run --size 2M|there is no size \"2M\"",
        "gpu run --batch 0|--batch must be at least 1",
        "gpu run --limit -1|--limit must be 0 to 1440",
        "gpu run --step all|--step",
        "gpu run --device gpu|expected auto, cpu or cuda:N",
        "queue --prompts 0|--prompts must be at least 1",
        "queue --prompts many|\"many\" is not a whole number",
        "chaos --seed x|\"x\" is not a whole number",
        "autoscale --days 0|--days must be 1 to 1000",
        "autoscale --polling x|\"x\" is not a whole number",
        "autoscale --price -1|--price must be 0 to 1000000",
        "objects --prompts 10|--prompts must be 1000 to 10000000, not 10",
        "chaos now|\"now\" is one word too many",
      })
  void wrongUsageIsSaidAndExitsWithTwo(String arguments, String complaint) {
    StringWriter err = new StringWriter();
    CommandLine commandLine = Main.commandLine();
    commandLine.setErr(new PrintWriter(err, true));

    assertEquals(2, commandLine.execute(arguments.split(" ")), err.toString());
    assertTrue(err.toString().contains(complaint), err.toString());
  }
}
