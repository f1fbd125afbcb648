package io.bitloom.worker.rewrite;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.common.rules.PromptText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Questions and answers in the format of OpenAI's chat completions. */
final class ChatCompletion {
  private static final int MAX_TOKENS = 512;
  private static final ImagePromptRules RULES = ImagePromptRules.defaults();

  private ChatCompletion() {}

  /** The likeliest answer is asked for, so that the same prompt gets the same one if it can. */
  static String question(PromptRewriterConfig config, String prompt) {
    JsonArray messages = new JsonArray();
    messages.add(message("system", config.systemPrompt()));
    messages.add(message("user", prompt));
    JsonObject question = new JsonObject();
    question.addProperty("model", config.model());
    question.add("messages", messages);
    question.addProperty("temperature", 0);
    question.addProperty("max_tokens", MAX_TOKENS);
    return question.toString();
  }

  private static JsonObject message(String role, String content) {
    JsonObject message = new JsonObject();
    message.addProperty("role", role);
    message.addProperty("content", content);
    return message;
  }

  /**
   * The text of an answer.
   *
   * @throws IOException if there is none, or it could not be a prompt
   */
  static String text(byte[] answer) throws IOException {
    String text = PromptText.normalised(content(answer)).strip();
    List<FieldViolation> violations = RULES.check(ImagePrompt.builder(text).build());
    if (!violations.isEmpty()) {
      throw new IOException("the rewritten text " + violations.get(0).message());
    }
    return text;
  }

  private static String content(byte[] answer) throws IOException {
    try {
      JsonElement json = JsonParser.parseString(new String(answer, StandardCharsets.UTF_8));
      return json.getAsJsonObject()
          .getAsJsonArray("choices")
          .get(0)
          .getAsJsonObject()
          .getAsJsonObject("message")
          .getAsJsonPrimitive("content")
          .getAsString();
    } catch (JsonParseException
        | IllegalStateException
        | ClassCastException
        | IndexOutOfBoundsException
        | NullPointerException
        | StackOverflowError e) {
      throw new IOException("the answer is no chat completion", e);
    }
  }
}
