package io.bitloom.common.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.file.FileFaults;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

class UsageTest {

  @Command(name = "program", subcommands = Draw.class)
  static final class Program implements Callable<Integer> {
    @Override
    public Integer call() {
      return 0;
    }
  }

  @OptionRule(options = "--preview-size", onlyWith = "--preview")
  static final class PreviewOptions {
    @Option(names = "--preview")
    private boolean preview;

    @Option(names = "--preview-size")
    @Range(min = 1, max = 64)
    private int previewSize = 8;
  }

  @Command(name = "draw", mixinStandardHelpOptions = true)
  @OptionRule(options = OptionRule.ALL, except = "--json", notWith = "--list")
  @OptionRule(options = "--bucket", notWith = "--store=folder")
  static final class Draw implements Callable<Integer> {
    @Parameters(arity = "0..1")
    private String text;

    @Mixin private PreviewOptions previews;

    @Option(names = "--list")
    private boolean list;

    @Option(names = "--json")
    private boolean json;

    @Option(names = "--store", defaultValue = "folder")
    private String store;

    @Option(names = "--bucket")
    private String bucket;

    @Option(names = "--batch", split = ",")
    @Range(min = 1)
    private List<Integer> batches = List.of(1);

    @Override
    public Integer call() {
      return 0;
    }
  }

  private final StringWriter err = new StringWriter();

  private int run(String arguments) {
    CommandLine program =
        Usage.prepare(new CommandLine(new Program())).setParameterExceptionHandler(Usage::refuse);
    program.setOut(new PrintWriter(new StringWriter())).setErr(new PrintWriter(err, true));
    return program.execute(arguments.split(" "));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "draw --preview-size 4|--preview-size has an effect only with --preview",
        "draw --preview --list|--preview has no effect with --list",
        "draw --bucket b|--bucket has no effect with --store=folder, which is what holds here by default",
        "draw --store FOLDER --bucket b|--bucket has no effect with --store=folder",
        "draw --preview --preview-size 65|--preview-size must be 1 to 64, not 65",
        "draw --batch 2,0|--batch must be at least 1, not 0",
        "draw --batch two|\"two\" is not a whole number",
        "draww|there is no command \"draww\"; did you mean draw?",
        "paint|there is no command \"paint\"",
        "draw --previw|there is no option --previw; did you mean --preview?",
        "draw --stoer=x|there is no option --stoer=x; did you mean --store?",
        "draw a fox|\"fox\" is one word too many",
      })
  void whatIsWrongIsSaidWithWhatHelps(String arguments, String complaint) {
    assertEquals(2, run(arguments), err.toString());
    assertTrue(err.toString().contains(complaint), err.toString());
    assertTrue(err.toString().contains("--help"), err.toString());
  }

  @ParameterizedTest
  @CsvSource({
    "draw --preview --preview-size 64",
    "draw --list --json",
    "draw --store bucket --bucket b",
    "draw --preview-size 4 --help",
  })
  void whatHasAnEffectIsTaken(String arguments) {
    assertEquals(0, run(arguments), err.toString());
  }

  @ParameterizedTest
  @EnumSource(ErrorCode.class)
  void noErrorOfBitloomOrItsSurroundingsIsTheCallers(ErrorCode code) {
    int exit = Usage.exitCode(new BitloomException(code, "x", "field", "value"));

    assertTrue(exit == 1 || code.fault() == ErrorCode.Fault.CALLER, code.toString());
  }

  @Test
  void aModelThatNobodyNamedIsNotTheCallersFault() {
    assertEquals(1, Usage.exitCode(new BitloomException(ErrorCode.MODEL_NOT_FOUND, "x", "m", "")));
    assertEquals(2, Usage.exitCode(new BitloomException(ErrorCode.MODEL_NOT_FOUND, "x", "m", "a")));
  }

  @Test
  void fileSystemsSpeakInWords() {
    assertEquals(
        "out: is there already, and is not a folder",
        FileFaults.message(new FileAlreadyExistsException("out")));
    assertTrue(FileFaults.isWrongPath(new AccessDeniedException("/root")));
    Exception full = new FileSystemException("a.png", null, "No space left on device");
    assertEquals("a.png: No space left on device", FileFaults.message(full));
    assertEquals(false, FileFaults.isWrongPath(full));
  }
}
