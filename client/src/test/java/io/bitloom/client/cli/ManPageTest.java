package io.bitloom.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

class ManPageTest {

  enum Colour {
    RED,
    BLUE
  }

  @Command(
      name = "tool",
      description = "Does it.",
      subcommands = Sub.class,
      footer = {"", ".hidden files count; 'so' do 100%% of \\n … 𝄞"})
  static final class Tool {
    @Option(names = "--secret", hidden = true)
    private String secret;
  }

  @Command(
      name = "sub-tool",
      description = {"Does a part.", "The other lines say more."},
      exitCodeList = {"0:Done.", "1:Failed."})
  static final class Sub {
    @Option(
        names = {"-c", "--colour"},
        paramLabel = "COLOUR",
        defaultValue = "RED",
        description = "It's one of ${COMPLETION-CANDIDATES}, by default ${DEFAULT-VALUE}.")
    private Colour colour;

    @Option(names = "--json", description = "For machines.")
    private boolean json;

    @Parameters(paramLabel = "FILE", description = "What to read.")
    private String file;
  }

  private final CommandSpec tool = new CommandLine(new Tool()).getCommandSpec();
  private final CommandSpec sub = tool.subcommands().get("sub-tool").getCommandSpec();

  @Test
  void aPageSaysWhatTheHelpSays() {
    String page = ManPage.of(sub, "Tool 1");

    assertEquals("tool-sub-tool", ManPage.name(sub));
    for (String part :
        List.of(
            ".TH \"TOOL\\-SUB\\-TOOL\" 1 \"\" \"Tool 1\"\n",
            "tool\\-sub\\-tool \\- Does a part.\n",
            ".SH DESCRIPTION\nDoes a part.\n.br\nThe other lines say more.\n",
            ".SH ARGUMENTS\n.TP\n.B FILE\nWhat to read.\n",
            ".TP\n.B \\-c, \\-\\-colour COLOUR\nIt's one of RED, BLUE, by default RED.\n",
            ".TP\n.B \\-\\-json\nFor machines.\n",
            ".SH EXIT STATUS\n.TP\n.B 0\nDone.\n",
            ".SH SEE ALSO\n.BR tool (1)\n")) {
      assertTrue(page.contains(part), part + " is not in\n" + page);
    }
  }

  @Test
  void whatManWouldTakeForItsOwnIsEscapedAndWhatIsHiddenStaysSo() {
    String page = ManPage.of(tool, "Tool 1");

    assertTrue(
        page.contains("\n\\&.hidden files count; 'so' do 100% of \\en \\[u2026] \\[u1D11E]\n"),
        page);
    assertTrue(page.contains(".SH COMMANDS\n.TP\n.BR tool\\-sub\\-tool (1)\nDoes a part.\n"), page);
    assertTrue(!page.contains("secret"), page);
    assertEquals(List.of(tool, sub), ManPage.withSubcommands(tool));
  }

  @Test
  void fishCompletesCommandsThenTheirOptionsAndValues() {
    String script = FishCompletion.of("tool", tool);

    assertEquals(
        """
        complete -c tool -n 'not __fish_seen_subcommand_from sub-tool' -f -a 'sub-tool' -d 'Does a part.'
        complete -c tool -n '__fish_seen_subcommand_from sub-tool' -s c -l colour -r -f -a 'RED BLUE' -d 'It\\'s one of RED, BLUE, by default RED.'
        complete -c tool -n '__fish_seen_subcommand_from sub-tool' -l json -d 'For machines.'
        """,
        script);
  }
}
