package io.bitloom.coordinator.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page of the coordinator's settings says what there is, all of it and nothing else. */
class SettingsPageTest {

  private static final Path PAGE = Path.of("../docs/reference/coordinator.md");
  private static final String HEAD = "| Key | Option | Variable | Default | Meaning |\n";
  private static final String EXAMPLE = "```yaml\n";

  private static String table() {
    return HEAD
        + "|---|---|---|---|---|\n"
        + CoordinatorConfig.SETTINGS.stream()
            .map(SettingsPageTest::row)
            .collect(Collectors.joining());
  }

  private static String row(Setting<?> setting) {
    String label = setting.label().isEmpty() ? "" : " " + setting.label();
    String standard = setting.standard().isEmpty() ? "" : "`" + setting.standard() + "`";
    return String.format(
        Locale.ROOT,
        "| `%s` | `%s%s` | `%s` | %s | %s |\n",
        setting.name(),
        setting.option(),
        label,
        setting.variable(),
        standard,
        setting.meaning());
  }

  @Test
  void theTableHasEverySetting() throws IOException {
    String page = Files.readString(PAGE);
    int start = page.indexOf(HEAD);
    assertTrue(start >= 0, "the table is gone from " + PAGE);
    if (Boolean.getBoolean("bitloom.write.docs")) {
      Files.writeString(PAGE, page.substring(0, start) + table());
    }
    assertEquals(table(), Files.readString(PAGE).substring(start), "see the head of " + PAGE);
  }

  @Test
  void theExampleIsRight(@TempDir Path directory) throws IOException {
    String page = Files.readString(PAGE);
    int start = page.indexOf(EXAMPLE) + EXAMPLE.length();
    Path file =
        Files.writeString(
            directory.resolve("coordinator.yaml"),
            page.substring(start, page.indexOf("```", start)));
    CoordinatorConfig config =
        CoordinatorConfig.of(
            SettingValues.of(CoordinatorConfig.SETTINGS, Map.of(), Map.of(), Optional.of(file)));
    assertEquals("redis://queue:6379", config.redis().uri());
  }
}
