package io.bitloom.engine.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares with the ids that Python's tokenizers give, see make_fixtures.py beside them. */
class SubwordTokenizerTest {
  private static final int IDS = 700;

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"spiece.model", "byte_fallback.model", "tokenizer.json"})
  void idsAreThoseOfTheReferenceForEveryKindOfText(String name) throws IOException {
    JsonObject expected = expectedIds();
    JsonArray texts = expected.getAsJsonArray("texts");
    assertTrue(texts.size() > 20);
    try (SubwordTokenizer tokenizer = open(name)) {
      for (int i = 0; i < texts.size(); i++) {
        String text = texts.get(i).getAsString();
        long[] reference = longs(expected.getAsJsonArray(name).get(i));
        long[] withoutEnd = Arrays.copyOf(reference, reference.length - 1);
        assertArrayEquals(withoutEnd, tokenizer.ids(text), text);
      }
    }
  }

  @Test
  void halvesOfCharactersAreNoReasonToStop() {
    try (SubwordTokenizer tokenizer = open("spiece.model")) {
      long[] plain = tokenizer.ids("a red fox");
      tokenizer.ids("a \ud83e red fox \udd8a");
      assertArrayEquals(plain, tokenizer.ids("a red fox"));
    }
  }

  @Test
  void extraIdsAreAddedIfTheEncoderHasThem() {
    TinyT5.tokenizer(folder, "spiece.model");
    Path model = folder.resolve("spiece.model");
    try (SubwordTokenizer with = SubwordTokenizer.open(model, 500);
        SubwordTokenizer without = SubwordTokenizer.open(model, 499)) {
      assertArrayEquals(new long[] {499}, with.ids("<extra_id_0>"));
      assertTrue(without.ids("<extra_id_0>").length > 1);
    }
    assertRefused(model, 399, "has token ids up to 399, the encoder knows 399");
  }

  @Test
  void aBrokenSentencePieceModelIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(TinyT5.tokenizer(folder, "spiece.model"));
    refused(Arrays.copyOf(whole, whole.length - 5), "is not a sentencepiece model");
    refused(new byte[0], "has no pieces");
    refused(new byte[] {10, 127, 1}, "is not a sentencepiece model");
    refused("{\"no\": \"protobuf\"}".getBytes(StandardCharsets.UTF_8), "spiece.model: ");
    byte[] bpe = {10, 3, 10, 1, 'a', 18, 2, 3 << 3, 2};
    refused(bpe, "trainer_spec.model_type: expected 1 (unigram), found 2");
    byte[] unknown = {10, 3, 10, 1, 'a', 18, 3, (byte) 0xc0, 2, 9};
    refused(unknown, "trainer_spec.unk_id: expected less than 1, found 9");
  }

  private void refused(byte[] model, String message) throws IOException {
    assertRefused(Files.write(folder.resolve("spiece.model"), model), IDS, message);
  }

  @Test
  void aMapOfCharactersThatLeadsOutOfItselfIsRefusedBeforeNativeCodeFollowsIt() throws IOException {
    byte[] map = charsMap();
    int trie = 4 + (map[0] & 0xff | (map[1] & 0xff) << 8 | (map[2] & 0xff) << 16);
    refusedMap(Arrays.copyOf(map, 2), "its trie has -1 bytes");
    refusedMap(Arrays.copyOf(map, 2000), "its trie has");
    refusedMap(changed(map, bytes -> bytes[3] = 0x7f), "its trie has");
    refusedMap(changed(map, bytes -> Arrays.fill(bytes, 4, trie, (byte) 0xff)), "leads to unit");
    refusedMap(changed(map, bytes -> bytes[7] = 0x7f), "leads to unit");
    refusedMap(Arrays.copyOf(map, trie), "its normal forms of 0 bytes are read from byte");
    refusedMap(changed(map, bytes -> bytes[trie] = (byte) 0xff), "are not UTF-8");
  }

  private byte[] charsMap() {
    TinyT5.tokenizer(folder, "spiece.model");
    return SentencePieceModel.read(folder.resolve("spiece.model")).charsMap();
  }

  private static byte[] changed(byte[] bytes, Consumer<byte[]> change) {
    byte[] copy = bytes.clone();
    change.accept(copy);
    return copy;
  }

  private void refusedMap(byte[] map, String message) throws IOException {
    String base64 = Base64.getEncoder().encodeToString(map);
    JsonObject step = JsonParser.parseString("{\"type\": \"Precompiled\"}").getAsJsonObject();
    step.addProperty("precompiled_charsmap", base64);
    JsonObject json = tokenizerJson();
    json.getAsJsonObject("normalizer").getAsJsonArray("normalizers").set(0, step);
    refused(json, message);
  }

  @Test
  void aBrokenTokenizerJsonIsRefusedWithFileMemberAndValue() throws IOException {
    refusedModel(
        model -> model.addProperty("type", "BPE"),
        "tokenizer.json: model.type: expected Unigram, found \"BPE\"");
    refusedModel(
        model -> model.addProperty("unk_id", 400),
        "tokenizer.json: model.unk_id: expected less than 400 pieces, found 400");
    refusedModel(model -> model.remove("vocab"), "model.vocab is missing");
    refusedModel(
        model -> vocabulary(model).set(7, JsonParser.parseString("[\"a\", \"b\"]")),
        "model.vocab[7]: expected [piece, score], found [\"a\",\"b\"]");
    refusedModel(
        model -> vocabulary(model).set(7, vocabulary(model).get(6)),
        "model.vocab[7]: the piece \"");
    refusedModel(
        model -> vocabulary(model).set(7, JsonParser.parseString("[\"q\", -1e999]")),
        "model.vocab[7]: expected a finite score, found -Infinity");
    JsonObject strange = tokenizerJson();
    strange.getAsJsonObject("pre_tokenizer").addProperty("type", "Unheard");
    refused(strange, "tokenizer.json: is no tokenizer: ");
    Path file = Files.writeString(folder.resolve("tokenizer.json"), "{\"model\"");
    assertRefused(file, IDS, "malformed JSON");
  }

  private static JsonArray vocabulary(JsonObject model) {
    return model.getAsJsonArray("vocab");
  }

  private void refusedModel(Consumer<JsonObject> change, String message) throws IOException {
    JsonObject json = tokenizerJson();
    change.accept(json.getAsJsonObject("model"));
    refused(json, message);
  }

  private void refused(JsonObject json, String message) throws IOException {
    Path file = Files.writeString(folder.resolve("tokenizer.json"), json.toString());
    assertRefused(file, IDS, message);
  }

  private JsonObject tokenizerJson() throws IOException {
    Path file = TinyT5.tokenizer(folder, "tokenizer.json");
    return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
  }

  private static void assertRefused(Path file, int ids, String message) {
    WeightsException refused =
        assertThrows(WeightsException.class, () -> SubwordTokenizer.open(file, ids));
    assertTrue(refused.getMessage().contains(message), refused.getMessage());
    assertTrue(refused.getMessage().startsWith(file.toString()), refused.getMessage());
  }

  private SubwordTokenizer open(String name) {
    return SubwordTokenizer.open(TinyT5.tokenizer(folder, name), IDS);
  }

  private static JsonObject expectedIds() throws IOException {
    try (Reader reader =
        new InputStreamReader(
            SubwordTokenizerTest.class.getResourceAsStream("expected_ids.json"),
            StandardCharsets.UTF_8)) {
      return JsonParser.parseReader(reader).getAsJsonObject();
    }
  }

  private static long[] longs(JsonElement array) {
    long[] ids =
        array.getAsJsonArray().asList().stream().mapToLong(JsonElement::getAsLong).toArray();
    assertEquals(1, ids[ids.length - 1]);
    return ids;
  }
}
