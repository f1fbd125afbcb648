package io.bitloom.worker.rewrite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.config.ConfigException;
import io.bitloom.engine.Rewriting;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against a real HTTP server in this JVM. */
@Timeout(600)
class ChatRewriterTest {
  private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
  private ChatEndpoint endpoint;

  @BeforeEach
  void start() throws IOException {
    endpoint = new ChatEndpoint();
  }

  @AfterEach
  void stop() {
    endpoint.close();
  }

  private Rewriting rewrite(String prompt) {
    return rewrite(endpoint.config(), prompt);
  }

  private Rewriting rewrite(PromptRewriterConfig config, String prompt) {
    try (ChatRewriter rewriter = new ChatRewriter(config, metrics)) {
      return rewriter.rewrite(prompt).join();
    }
  }

  private double count(String result) {
    return metrics.get("bitloom.worker.rewrites").tag("result", result).counter().count();
  }

  @Test
  void theLanguageModelIsAskedWithTheSystemPromptAndItsAnswerIsTaken() {
    endpoint.answers("  a red fox 🦊, curled up in snow \n");
    Rewriting rewriting = rewrite("a \"red\" fox 🦊");
    assertEquals(new Rewriting("a red fox 🦊, curled up in snow", "tiny-lm", ""), rewriting);
    ChatEndpoint.Question question = endpoint.questions().get(0);
    assertEquals("a \"red\" fox 🦊", question.prompt());
    assertEquals("tiny-lm", question.body().get("model").getAsString());
    assertEquals(0, question.body().get("temperature").getAsInt());
    assertTrue(question.body().toString().contains("Be brief."));
    assertNull(question.authorization());
    assertEquals(1, count("rewritten"));
  }

  @Test
  void theKeyIsSentAndStandsInNoLog() {
    PromptRewriterConfig config = endpoint.config(Duration.ofSeconds(30), Optional.of("s3cret"));
    assertEquals("a rewritten text", rewrite(config, "a fox").text());
    assertEquals("Bearer s3cret", endpoint.questions().get(0).authorization());
    assertFalse(config.toString().contains("s3cret"), config.toString());
  }

  @Test
  void aPromptThatComesAgainIsAskedForOnce() {
    try (ChatRewriter rewriter = new ChatRewriter(endpoint.config(), metrics)) {
      Rewriting first = rewriter.rewrite("a fox").join();
      endpoint.answers("something else");
      assertEquals(first, rewriter.rewrite("a fox").join());
      assertEquals("something else", rewriter.rewrite("a dog").join().text());
    }
    assertEquals(2, endpoint.questions().size());
    assertEquals(1, count("known"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          500 | oh no                                                    | the endpoint answers with status 500
          200 | not json                                                 | the answer is no chat completion
          200 | []                                                       | the answer is no chat completion
          200 | {}                                                       | the answer is no chat completion
          200 | {"choices": []}                                          | the answer is no chat completion
          200 | {"choices": [{"message": {"content": null}}]}            | the answer is no chat completion
          200 | {"choices": [{"message": {"content": " "}}]}             | the rewritten text must not be empty
          200 | {"choices": [{"message": {"content": "a\\ud800b"}}]}     | the rewritten text must be valid Unicode
          """)
  void whatIsNoAnswerLeavesThePromptAsItIs(int status, String body, String reason) {
    endpoint.sends(status, body);
    assertEquals(new Rewriting("a fox", "", reason), rewrite("a fox"));
    assertEquals(1, count("failed"));
  }

  @Test
  void aTextThatIsTooLongOrAnAnswerWithoutEndIsRefused() {
    endpoint.answers("x".repeat(5000));
    assertEquals("the rewritten text must have at most 4000 characters", rewrite("a").failure());
    endpoint.does(
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          byte[] chunk = new byte[1 << 16];
          while (true) {
            exchange.getResponseBody().write(chunk); // until the client breaks it off
          }
        });
    assertEquals("the answer has more than 262144 bytes", rewrite("b").failure());
    endpoint.sends(200, "[".repeat(100_000));
    assertEquals("the answer is no chat completion", rewrite("c").failure());
  }

  @Test
  void aRedirectIsNotFollowed() throws IOException {
    try (ChatEndpoint other = new ChatEndpoint()) {
      endpoint.does(
          exchange -> {
            exchange
                .getResponseHeaders()
                .set("Location", other.url("/v1/chat/completions").toString());
            exchange.sendResponseHeaders(307, -1);
          });
      assertEquals("the endpoint answers with status 307", rewrite("a fox").failure());
      assertEquals(0, other.questions().size());
    }
  }

  @Test
  void anEndpointThatIsSilentOrStopsInTheMiddleIsGivenUp() {
    CountDownLatch end = new CountDownLatch(1);
    PromptRewriterConfig hasty = endpoint.config(Duration.ofMillis(300), Optional.empty());
    endpoint.does(exchange -> await(end));
    assertEquals("no answer within 300 ms", rewrite(hasty, "a fox").failure());
    endpoint.does(
        exchange -> {
          exchange.sendResponseHeaders(200, 1000);
          exchange.getResponseBody().write('{');
          exchange.getResponseBody().flush();
          await(end);
        });
    assertEquals("no answer within 300 ms", rewrite(hasty, "a fox").failure());
    end.countDown();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void anEndpointThatIsNotThereIsAskedAFewTimesAndThenLeftAlone() {
    PromptRewriterConfig gone = endpoint.config();
    endpoint.close();
    try (ChatRewriter rewriter = new ChatRewriter(gone, metrics)) {
      for (int i = 0; i < 5; i++) {
        Rewriting rewriting = rewriter.rewrite("fox " + i).join();
        assertEquals(new Rewriting("fox " + i, "", "the endpoint cannot be reached"), rewriting);
      }
      Rewriting paused = rewriter.rewrite("fox").join();
      assertEquals("the endpoint has failed before and is left alone", paused.failure());
      assertEquals("fox", paused.text());
      assertEquals(1, count("paused"));
    }
  }

  @Test
  void promptsThatWaitWhenTheWorkerStopsAreLeftAsTheyAre() {
    CountDownLatch asked = new CountDownLatch(8);
    CountDownLatch end = new CountDownLatch(1);
    endpoint.does(
        exchange -> {
          asked.countDown();
          await(end);
          ChatEndpoint.send(exchange, 500, "");
        });
    ChatRewriter rewriter = new ChatRewriter(endpoint.config(), metrics);
    CompletableFuture<?>[] all =
        IntStream.range(0, 40)
            .mapToObj(i -> rewriter.rewrite("fox " + i))
            .toArray(CompletableFuture<?>[]::new);
    await(asked);
    rewriter.close();
    end.countDown();
    CompletableFuture.allOf(all).join();
    assertEquals(8, endpoint.questions().size());
  }

  @ParameterizedTest
  @CsvSource({
    "ftp://127.0.0.1/x,        m, 1s,  '',  prompt-rewriter must be an http or https URL",
    "/v1/chat,                 m, 1s,  '',  prompt-rewriter must be an http or https URL",
    "http://u:p@127.0.0.1/x,   m, 1s,  '',  prompt-rewriter must be an http or https URL",
    "http://u:p@x@127.0.0.1/x, m, 1s,  '',  prompt-rewriter must be an http or https URL",
    "http://example.org/x,     m, 1s,  key, prompt-rewriter must be https",
    "https://example.org/x,    '', 1s, key, prompt-rewriter-model must name",
    "http://127.0.0.1/x,       m, 1ms, '',  prompt-rewriter-timeout must be"
  })
  void settingsThatCannotBeAreNamed(
      String url, String model, String time, String key, String message) {
    Duration timeout = time.equals("1s") ? Duration.ofSeconds(1) : Duration.ofMillis(1);
    String found =
        assertThrows(
                ConfigException.class,
                () ->
                    new PromptRewriterConfig(
                        URI.create(url),
                        model,
                        PromptRewriterConfig.defaultSystemPrompt(),
                        timeout,
                        Optional.of(key).filter(text -> !text.isEmpty())))
            .getMessage();
    assertTrue(found.startsWith(message), found);
    assertFalse(found.contains("u:p"), found);
  }
}
