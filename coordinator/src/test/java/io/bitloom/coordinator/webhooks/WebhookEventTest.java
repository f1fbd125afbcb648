package io.bitloom.coordinator.webhooks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.coordinator.auth.WebhookSecret;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WebhookEventTest {

  private static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

  /** The vector that the reference libraries of Standard Webhooks are tested with. */
  private static final WebhookEvent EVENT =
      new WebhookEvent("msg_p5jXN8AQM9LWM0D4loKWxJek", "{\"test\": 2432232314}");

  private static final Instant TIME = Instant.ofEpochSecond(1614265330);

  private static final String SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

  @Test
  void theSignatureIsThatOfStandardWebhooks() {
    assertEquals(
        SIGNATURE,
        EVENT.headers(List.of(WebhookSecret.parse(SECRET)), TIME).get("webhook-signature"));
    assertEquals(
        "1614265330",
        EVENT.headers(List.of(WebhookSecret.parse(SECRET)), TIME).get("webhook-timestamp"));
  }

  @Test
  void everySecretSigns() {
    WebhookSecret other = WebhookSecret.parse("whsec_" + "A".repeat(32));
    String both =
        EVENT.headers(List.of(other, WebhookSecret.parse(SECRET)), TIME).get("webhook-signature");
    assertEquals(SIGNATURE, both.split(" ")[1]);
    assertEquals(2, both.split(" ").length);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS*",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa"
      })
  void whatIsNoSecretIsRefusedAndNotShown(String text) {
    String said =
        assertThrows(IllegalArgumentException.class, () -> WebhookSecret.parse(text)).getMessage();
    assertEquals(WebhookSecret.RULE, said);
    assertFalse(WebhookSecret.parse(SECRET).toString().contains("MfKQ"));
  }
}
