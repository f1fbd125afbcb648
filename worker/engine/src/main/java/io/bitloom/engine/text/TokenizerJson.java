package io.bitloom.engine.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.checkpoint.StrictJson;
import io.bitloom.engine.tensor.WeightsException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The description of a unigram tokenizer in Hugging Face's format, {@code tokenizer.json}, checked.
 *
 * @param json the description
 * @param largestId the largest id of a piece or an added token
 */
record TokenizerJson(JsonObject json, long largestId) {
  private static final String UNIGRAM = "Unigram";
  private static final String SPACE = "▁";

  /** T5 has this many tokens more than sentencepiece knows: {@code <extra_id_0>} is the last. */
  private static final int EXTRA_IDS = 100;

  /**
   * Reads and checks a file.
   *
   * @throws WeightsException naming file, member and value
   */
  static TokenizerJson read(Path file) {
    return checked(file.toString(), StrictJson.object(file));
  }

  /**
   * The same tokenizer as a sentencepiece model, made as Hugging Face's converter for T5 makes it.
   *
   * @param source names the model in messages
   * @param ids number of ids that the encoder knows; the extra ones are added if it has them
   * @throws WeightsException if the model is broken
   */
  static TokenizerJson of(String source, SentencePieceModel model, int ids) {
    JsonObject json = new JsonObject();
    json.addProperty("version", "1.0");
    json.add("added_tokens", addedTokens(model, ids));
    json.add("normalizer", sequence("normalizers", normalizers(model.charsMap())));
    json.add("pre_tokenizer", preTokenizer());
    json.add("model", unigram(model));
    return checked(source, json);
  }

  private static TokenizerJson checked(String source, JsonObject json) {
    JsonFields fields = JsonFields.of(source, json);
    JsonFields model = fields.object("model");
    if (!model.text("type").equals(UNIGRAM)) {
      throw new WeightsException(
          source, "model.type: expected " + UNIGRAM + ", found \"" + model.text("type") + "\"");
    }
    List<JsonElement> vocabulary = model.elements("vocab");
    checkVocabulary(source, vocabulary);
    int unknown = model.integer("unk_id");
    if (unknown < 0 || unknown >= vocabulary.size()) {
      throw new WeightsException(
          source,
          "model.unk_id: expected less than " + vocabulary.size() + " pieces, found " + unknown);
    }
    checkCharsMaps(source, json.get("normalizer"));
    checkCharsMaps(source, json.get("pre_tokenizer"));
    long largest = vocabulary.size() - 1L;
    if (fields.has("added_tokens")) {
      for (JsonElement token : fields.elements("added_tokens")) {
        largest = Math.max(largest, addedId(source, token));
      }
    }
    return new TokenizerJson(json, largest);
  }

  private static void checkVocabulary(String source, List<JsonElement> vocabulary) {
    Set<String> seen = new HashSet<>();
    for (int id = 0; id < vocabulary.size(); id++) {
      String member = "model.vocab[" + id + "]";
      JsonElement entry = vocabulary.get(id);
      if (!isPiece(entry)) {
        throw new WeightsException(source, member + ": expected [piece, score], found " + entry);
      }
      String piece = entry.getAsJsonArray().get(0).getAsString();
      double score = entry.getAsJsonArray().get(1).getAsDouble();
      if (piece.isEmpty() || !seen.add(piece)) {
        throw new WeightsException(
            source, member + ": the piece \"" + piece + "\" is empty or occurs twice");
      }
      if (!Double.isFinite(score)) {
        throw new WeightsException(source, member + ": expected a finite score, found " + score);
      }
    }
  }

  private static boolean isPiece(JsonElement entry) {
    return entry.isJsonArray()
        && entry.getAsJsonArray().size() == 2
        && entry.getAsJsonArray().get(0).isJsonPrimitive()
        && entry.getAsJsonArray().get(0).getAsJsonPrimitive().isString()
        && entry.getAsJsonArray().get(1).isJsonPrimitive()
        && entry.getAsJsonArray().get(1).getAsJsonPrimitive().isNumber();
  }

  private static long addedId(String source, JsonElement token) {
    if (!token.isJsonObject()) {
      throw new WeightsException(source, "added_tokens: expected objects, found " + token);
    }
    return JsonFields.of(source + ": added_tokens", token.getAsJsonObject()).integer("id");
  }

  /** Finds every compiled map of characters, however deep the steps are nested. */
  private static void checkCharsMaps(String source, JsonElement steps) {
    if (steps == null || steps.isJsonPrimitive() || steps.isJsonNull()) {
      return;
    }
    if (steps.isJsonArray()) {
      steps.getAsJsonArray().forEach(step -> checkCharsMaps(source, step));
      return;
    }
    for (Map.Entry<String, JsonElement> member : steps.getAsJsonObject().entrySet()) {
      if (member.getKey().equals("precompiled_charsmap")) {
        CharsMap.check(source, bytes(source, member.getValue()));
      } else {
        checkCharsMaps(source, member.getValue());
      }
    }
  }

  private static byte[] bytes(String source, JsonElement base64) {
    try {
      return Base64.getDecoder().decode(base64.getAsString());
    } catch (IllegalArgumentException | UnsupportedOperationException | IllegalStateException e) {
      throw new WeightsException(source, "precompiled_charsmap: expected base64", e);
    }
  }

  private static JsonArray addedTokens(SentencePieceModel model, int ids) {
    JsonArray tokens = new JsonArray();
    List<SentencePieceModel.Piece> pieces = model.pieces();
    for (int id = 0; id < pieces.size(); id++) {
      String text = pieces.get(id).text();
      if (pieces.get(id).userDefined()) {
        tokens.add(addedToken(id, text, false));
      } else if (Set.of("</s>", "<unk>", "<pad>").contains(text)) {
        tokens.add(addedToken(id, text, true));
      }
    }
    if (pieces.size() + EXTRA_IDS <= ids) {
      for (int i = 0; i < EXTRA_IDS; i++) {
        tokens.add(addedToken(pieces.size() + i, "<extra_id_" + (EXTRA_IDS - 1 - i) + ">", true));
      }
    }
    return tokens;
  }

  private static JsonObject addedToken(int id, String text, boolean special) {
    JsonObject token = new JsonObject();
    token.addProperty("id", id);
    token.addProperty("content", text);
    token.addProperty("single_word", false);
    token.addProperty("lstrip", false);
    token.addProperty("rstrip", false);
    token.addProperty("normalized", !special);
    token.addProperty("special", special);
    return token;
  }

  private static JsonArray normalizers(byte[] charsMap) {
    JsonArray steps = new JsonArray();
    if (charsMap.length > 0) {
      JsonObject precompiled = typed("Precompiled");
      precompiled.addProperty("precompiled_charsmap", Base64.getEncoder().encodeToString(charsMap));
      steps.add(precompiled);
    }
    JsonObject strip = typed("Strip");
    strip.addProperty("strip_left", false);
    strip.addProperty("strip_right", true);
    steps.add(strip);
    JsonObject spaces = new JsonObject();
    spaces.addProperty("Regex", " {2,}");
    JsonObject replace = typed("Replace");
    replace.add("pattern", spaces);
    replace.addProperty("content", SPACE);
    steps.add(replace);
    return steps;
  }

  private static JsonObject preTokenizer() {
    JsonObject metaspace = typed("Metaspace");
    metaspace.addProperty("replacement", SPACE);
    metaspace.addProperty("prepend_scheme", "always");
    metaspace.addProperty("split", true);
    return metaspace;
  }

  private static JsonObject unigram(SentencePieceModel model) {
    JsonArray vocabulary = new JsonArray();
    for (SentencePieceModel.Piece piece : model.pieces()) {
      JsonArray entry = new JsonArray();
      entry.add(piece.text());
      entry.add((double) piece.score());
      vocabulary.add(entry);
    }
    JsonObject unigram = typed(UNIGRAM);
    unigram.addProperty("unk_id", model.unknownId());
    unigram.addProperty("byte_fallback", model.byteFallback());
    unigram.add("vocab", vocabulary);
    return unigram;
  }

  private static JsonObject sequence(String member, JsonArray steps) {
    JsonObject sequence = typed("Sequence");
    sequence.add(member, steps);
    return sequence;
  }

  private static JsonObject typed(String type) {
    JsonObject object = new JsonObject();
    object.addProperty("type", type);
    return object;
  }
}
