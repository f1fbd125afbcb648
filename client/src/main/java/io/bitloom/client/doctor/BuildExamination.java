package io.bitloom.client.doctor;

import io.bitloom.common.doctor.Examination;
import io.bitloom.common.doctor.Finding;
import io.bitloom.common.doctor.Setup;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Java, and what a build needs if one is due, which the script {@code ./bitloom} says. */
public final class BuildExamination implements Examination {

  private static final Pattern MAVEN = Pattern.compile("Apache Maven (\\d{1,3})\\.(\\d{1,3})\\S*");
  private static final int LEAST_MINOR = 8;
  private static final int PATIENCE_SECONDS = 60;

  @Override
  public List<Finding> examine(Setup setup) {
    List<Finding> findings = new ArrayList<>();
    Path home = Path.of(System.getProperty("java.home"));
    findings.add(java(home));
    if (Boolean.getBoolean("bitloom.stale")) {
      findings.add(compiler(home));
      findings.add(maven());
    } else {
      findings.add(Finding.ok("build", "what is built is not older than its sources"));
    }
    return findings;
  }

  private static Finding java(Path home) {
    String found = Runtime.version() + " in " + home;
    return "64".equals(System.getProperty("sun.arch.data.model"))
        ? Finding.ok("java", found)
        : Finding.fail("java", found + ", of 32 bits", "install a JDK 17 of 64 bits");
  }

  private static Finding compiler(Path home) {
    return Files.isExecutable(home.resolve("bin/javac"))
        ? Finding.ok("javac", "a build is due, and there is one")
        : Finding.fail(
            "javac",
            "a build is due, and " + home + " has none",
            "install a JDK (Debian: apt-get install openjdk-17-jdk-headless)");
  }

  private static Finding maven() {
    String advice =
        "install Maven 3.8 or newer (Debian: apt-get install maven), or use what is built:"
            + " BITLOOM_BUILD=never";
    String said = version();
    Matcher version = MAVEN.matcher(said);
    if (!version.find()) {
      return Finding.fail("maven", "a build is due, and mvn does not run", advice);
    }
    int major = Integer.parseInt(version.group(1));
    boolean old = major < 3 || (major == 3 && Integer.parseInt(version.group(2)) < LEAST_MINOR);
    return old
        ? Finding.fail("maven", version.group(), advice)
        : Finding.ok("maven", "a build is due, and there is " + version.group());
  }

  private static String version() {
    try {
      Process maven =
          new ProcessBuilder("mvn", "--version")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String said = new String(maven.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return maven.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) ? said : "";
    } catch (IOException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }
}
