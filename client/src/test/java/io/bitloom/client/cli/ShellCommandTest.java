package io.bitloom.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.ParseResult;

class ShellCommandTest {

  @Test
  void whatWasGivenIsRepeatedInWordsThatTheShellLeavesAlone() {
    ParseResult given =
        parse(
            "submit",
            "prompts.jsonl",
            "--out=my pictures",
            "--label",
            "team=art & craft",
            "--label=a=b",
            "--guidance=4,4,1",
            "--skip-bad-lines",
            "--coordinator=there:7700");

    assertEquals(
        "./bitloom submit prompts.jsonl --out 'my pictures' --label 'team=art & craft'"
            + " --label a=b --guidance 4,4,1 --skip-bad-lines --coordinator there:7700",
        ShellCommand.of("submit", "prompts.jsonl").sameOptions(given).toString());
  }

  @Test
  void secretsAndWhatHoldsOnceAreNotRepeated() {
    ParseResult given =
        parse("submit", "p", "--token=secret", "--request-id=new", "--tls", "--tls-ca=ca.pem");

    assertEquals(
        "./bitloom submit p --tls --tls-ca ca.pem",
        ShellCommand.of("submit", "p").sameOptions(given).toString());
  }

  @Test
  void anotherCommandGoesToTheSameCoordinator() {
    ParseResult given = parse("submit", "p", "--no-wait", "--coordinator=there:7700");

    assertEquals(
        "./bitloom watch jobs/a --coordinator there:7700",
        ShellCommand.of("watch", "jobs/a").sameCoordinator(given).toString());
  }

  private static ParseResult parse(String... words) {
    CommandLine commandLine = Bitloom.commandLine();
    commandLine.parseArgs(words);
    return commandLine.getSubcommands().get(words[0]).getParseResult();
  }
}
