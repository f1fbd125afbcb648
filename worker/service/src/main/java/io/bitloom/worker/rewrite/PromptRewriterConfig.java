package io.bitloom.worker.rewrite;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import io.bitloom.common.net.MaskedUri;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * Where prompts are rewritten, and how.
 *
 * @param endpoint URL of an OpenAI-compatible chat completions endpoint
 * @param model name of the language model, as the endpoint knows it
 * @param systemPrompt what the language model is told to do
 * @param timeout most time for one prompt
 * @param apiKey sent as bearer token; never over plain HTTP to another machine
 */
public record PromptRewriterConfig(
    URI endpoint, String model, String systemPrompt, Duration timeout, Optional<String> apiKey) {
  private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

  /**
   * @throws ConfigException naming what cannot be
   */
  public PromptRewriterConfig {
    String scheme = String.valueOf(endpoint.getScheme());
    boolean http = scheme.equals("http") || scheme.equals("https");
    if (!http || endpoint.getHost() == null || endpoint.getUserInfo() != null) {
      throw new ConfigException(
          "prompt-rewriter",
          MaskedUri.of(endpoint.toString()),
          "must be an http or https URL without a user");
    }
    if (apiKey.isPresent() && scheme.equals("http") && !LOOPBACK.contains(endpoint.getHost())) {
      throw new ConfigException(
          "prompt-rewriter", endpoint, "must be https, because an API key would be sent to it");
    }
    if (model.isBlank()) {
      throw new ConfigException("prompt-rewriter-model", model, "must name a language model");
    }
    if (systemPrompt.isBlank()) {
      throw new ConfigException("prompt-rewriter-system", systemPrompt, "must not be empty");
    }
    Settings.inRange(
        "prompt-rewriter-timeout", timeout, Duration.ofMillis(100), Duration.ofMinutes(5));
  }

  /** The system prompt where none is given. */
  public static String defaultSystemPrompt() {
    try (InputStream in = PromptRewriterConfig.class.getResourceAsStream("system-prompt.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Without the key, so that it gets into no log. */
  @Override
  public String toString() {
    return model + " at " + endpoint;
  }
}
