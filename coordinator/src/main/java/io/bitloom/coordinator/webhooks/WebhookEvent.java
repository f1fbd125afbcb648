package io.bitloom.coordinator.webhooks;

import com.google.gson.JsonObject;
import io.bitloom.common.json.MessageJson;
import io.bitloom.coordinator.auth.WebhookSecret;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.Milestone;
import io.bitloom.v1.Job;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a receiver is told, as <a
 * href="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md">Standard
 * Webhooks</a> say.
 *
 * @param id the same for all attempts, and for no other event
 * @param body JSON
 */
record WebhookEvent(String id, String body) {

  /**
   * @param job as callers see it now
   */
  static WebhookEvent of(JobRecord record, Milestone milestone, Job job) {
    String name = milestone.name().toLowerCase(Locale.ROOT);
    JsonObject body = new JsonObject();
    body.addProperty("type", "job." + name);
    body.addProperty("timestamp", record.milestones().get(milestone).toString());
    body.add("data", MessageJson.of(job.toBuilder().clearWebhook().build()));
    // A job that was deleted and submitted again by the same request has the same id.
    String id = "msg_" + record.id() + "_" + record.createTime().toEpochMilli() + "_" + name;
    return new WebhookEvent(id, body.toString());
  }

  /**
   * The headers of an attempt.
   *
   * @param now by the clock here
   */
  Map<String, String> headers(List<WebhookSecret> secrets, Instant now) {
    String time = Long.toString(now.getEpochSecond());
    byte[] signed = (id + "." + time + "." + body).getBytes(StandardCharsets.UTF_8);
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("webhook-id", id);
    headers.put("webhook-timestamp", time);
    headers.put(
        "webhook-signature",
        secrets.stream()
            .map(secret -> "v1," + Base64.getEncoder().encodeToString(secret.sign(signed)))
            .collect(Collectors.joining(" ")));
    return headers;
  }
}
