package io.bitloom.engine.modeldir;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonObject;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityLayout;
import io.bitloom.engine.model.InfinityPreset;
import io.bitloom.engine.model.SquareVar;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.TokenizerLayout;
import io.bitloom.engine.tokenizer.TokenizerNames;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The keys and shapes of the released models, printed by the official implementation at real size,
 * against what the loader asks for.
 */
class OfficialKeysTest {
  private static final Pattern BLOCKS =
      Pattern.compile("block_chunks\\.\\{0\\.\\.(\\d+)}\\.module\\.\\{0\\.\\.(\\d+)}\\.(.*)");

  @ParameterizedTest
  @CsvSource({"infinity_2b, 2b, 32, 694", "infinity_8b, 8b, 56, 862", "layer12, layer12, 32, 274"})
  void noKeyOfATransformerIsMissingAndNoneIsUnexpected(
      String preset, String file, int bits, int count) throws IOException {
    Map<String, long[]> official = keys("official-keys-" + file + ".txt");
    assertEquals(count, official.size());
    InfinityConfig config =
        InfinityConfig.parse(InfinityPreset.find(preset).orElseThrow().settings(), bits);
    assertEquals(List.of(), InfinityLayout.faults(config, official));
    assertSame(official, InfinityLayout.of(config));
  }

  @ParameterizedTest
  @CsvSource({"infinity_vae_d32, vae-d32, 270", "infinity_vae_d14, vae-d14, 226"})
  void noKeyOfATokenizerIsMissingAndNoneIsUnexpected(String preset, String file, int count)
      throws IOException {
    Map<String, long[]> official = keys("official-keys-" + file + ".txt");
    assertEquals(count, official.size());
    TokenizerConfig config = TokenizerConfig.of(TokenizerConfig.preset(preset).orElseThrow());
    assertEquals(List.of(), TokenizerLayout.faults(config, official));
    official.keySet().removeIf(name -> name.endsWith(".lfq.mask"));
    assertSame(official, TokenizerLayout.of(config));
  }

  @ParameterizedTest
  @CsvSource({"infinity_2b, 2b, 32", "infinity_8b, 8b, 56", "infinity_layer12, layer12, 32"})
  void theOfficialModelsAreRecognisedByTheirTensors(String preset, String file, int bits)
      throws IOException {
    Map<String, long[]> official = keys("official-keys-" + file + ".txt");
    JsonObject settings = TransformerRecognition.recognise(file, official).settings();
    InfinityConfig config = InfinityConfig.parse(settings, bits);
    assertEquals(
        Optional.of(preset), InfinityPreset.of(config).map(InfinityPreset::label), "" + settings);
  }

  @Test
  void theTokenizersAreRecognisedByTheirTensors() throws IOException {
    for (String bits : List.of("d32", "d14")) {
      Map<String, long[]> official = keys("official-keys-vae-" + bits + ".txt");
      assertEquals(
          TokenizerConfig.of(TokenizerConfig.preset(bits).orElseThrow()),
          TokenizerConfig.of(TokenizerRecognition.recognise(bits, official).settings()));
    }
  }

  @Test
  void noKeyOfVarIsMissingAndNoneIsUnexpected() throws IOException {
    Map<String, long[]> vae = keys("official-keys-vae-var.txt");
    Map<String, long[]> named = new LinkedHashMap<>();
    vae.forEach((name, shape) -> named.put(TokenizerNames.official(name), shape));
    TokenizerConfig tokenizer =
        TokenizerConfig.of(TokenizerRecognition.recognise("vae", named).settings());
    assertEquals(new TokenizerConfig(32, 16, 160, List.of(1, 1, 2, 2, 4), 2, 4096, 1), tokenizer);
    assertEquals(List.of(), TokenizerLayout.faults(tokenizer, named));

    Map<String, long[]> var = keys("official-keys-var-d16.txt");
    JsonObject settings = TransformerRecognition.recognise("var", var).settings();
    InfinityConfig config = InfinityConfig.parse(settings, 32);
    assertEquals(List.of(), InfinityLayout.faults(config, var));
    assertEquals(new SquareVar(1000, 4096, SquareVar.sides(SizeClass.VAR_256)), config.square());
    assertEquals(Optional.of(Role.TRANSFORMER), Role.of(var.keySet()));
    assertEquals(Optional.of(Role.TOKENIZER), Role.of(vae.keySet()));
  }

  @Test
  void aTokenizerThatSeesPixelsAsChannelsIsRecognisedToo() {
    TokenizerConfig config = new TokenizerConfig(16, 16, 32, List.of(1, 1, 2), 1, 0, 4);
    Map<String, long[]> shapes = TokenizerLayout.of(config);
    assertEquals(
        config, TokenizerConfig.of(TokenizerRecognition.recognise("shuffled", shapes).settings()));
  }

  private static void assertSame(Map<String, long[]> official, Map<String, long[]> ours) {
    assertEquals(text(official), text(ours));
  }

  private static Map<String, String> text(Map<String, long[]> shapes) {
    Map<String, String> text = new TreeMap<>();
    shapes.forEach((name, shape) -> text.put(name, Arrays.toString(shape)));
    return text;
  }

  private static Map<String, long[]> keys(String resource) throws IOException {
    Map<String, long[]> keys = new LinkedHashMap<>();
    try (InputStream in = OfficialKeysTest.class.getResourceAsStream(resource)) {
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        if (!line.startsWith("#")) {
          String[] parts = line.split(" ");
          long[] shape = Arrays.stream(parts[1].split("x")).mapToLong(Long::parseLong).toArray();
          expand(parts[0]).forEach(name -> keys.put(name, shape));
        }
      }
    }
    return keys;
  }

  /** {@code block_chunks.{0..7}.module.{0..3}.x} stands for the key x of each of 32 blocks. */
  private static List<String> expand(String name) {
    Matcher blocks = BLOCKS.matcher(name);
    if (!blocks.matches()) {
      return List.of(name);
    }
    List<String> names = new java.util.ArrayList<>();
    for (int chunk = 0; chunk <= Integer.parseInt(blocks.group(1)); chunk++) {
      for (int block = 0; block <= Integer.parseInt(blocks.group(2)); block++) {
        names.add("block_chunks." + chunk + ".module." + block + "." + blocks.group(3));
      }
    }
    return names;
  }
}
