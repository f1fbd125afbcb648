package io.bitloom.loadtests.chaos;

import io.bitloom.v1.Prompt;
import java.util.List;
import java.util.stream.IntStream;

/** The prompts of one tenant: twelve schedules, seeds of their own, one to three images. */
record TenantPrompts(Tenant tenant, int count) {

  /** A tenant and the token of its client. */
  record Tenant(String name, double weight, String token) {}

  private static final List<String> RATIOS = List.of("1:1", "3:2", "2:3", "16:9", "9:16", "4:3");
  private static final List<String> SIZES = List.of("0.06M", "0.25M");

  List<Prompt> all() {
    return IntStream.range(0, count).mapToObj(this::prompt).toList();
  }

  private Prompt prompt(int i) {
    return Prompt.newBuilder()
        .setCustomId(tenant.name() + "-" + i)
        .setPrompt("a picture of " + tenant.name() + ", number " + i)
        .setAspectRatio(RATIOS.get(i % RATIOS.size()))
        .setSize(SIZES.get(i / RATIOS.size() % SIZES.size()))
        .setNumImages(1 + i % 3)
        .setSeed(i)
        .build();
  }
}
