package io.bitloom.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the command reads and prints does not depend on the language of the machine. */
class FieldLocaleTest {
  private final Locale before = Locale.getDefault();

  @TempDir private Path folder;

  @AfterEach
  void restoreTheLocale() {
    Locale.setDefault(before);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ar-EG-u-nu-arab", "fa-IR-u-nu-arabext", "hi-IN-u-nu-deva", "tr-TR"})
  void aDryRunCountsInTheDigitsOfTheFile(String locale) throws IOException {
    Locale.setDefault(Locale.forLanguageTag(locale));
    Path file =
        Files.writeString(
            folder.resolve("prompts.jsonl"),
            """
            {"prompt": "a", "aspect_ratio": "3:2", "num_images": 12, "format": "jpeg"}
            {"prompt": "b", "h_div_w": 0.67, "size": "0.06M", "format": "webp"}
            """);
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();

    int exit =
        Bitloom.commandLine()
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true))
            .execute("submit", file.toString(), "--dry-run", "--offline");

    assertEquals(0, exit, err::toString);
    assertEquals(file + ": 2 prompts, 13 images\n  3:2  1\n  3:2 0.06M  1\n", out.toString());
  }
}
