import OakumApp
import OakumTestKit
import StrictYAML
import Testing

/// A configuration that was damaged by a slip of the hand is read or refused with a line, and nothing else happens.
@Suite
struct ConfigurationFuzzTests {
    private static let text = """
        people: [{name: ada, time_zone: UTC, contact: [{channel: m, address: a@example.org}, {channel: c, after: 2m}]}]
        channels:
          - {name: m, smtp: {url: "smtp://mail.example.org:587", from: o@example.org, to: [x@example.org]}, timeout: 5s}
          - {name: c, console: {}}
          - {name: f, file: {path: pages.jsonl, format: json, size: 1MiB}}
        schedules:
          - name: primary
            time_zone: UTC
            rotation: {every: 1w, start: 2026-01-05, handover: "Mon 09:00", members: [ada], hours: {days: Mon-Fri, from: "09:00", to: "17:00"}}
            overrides: [{person: ada, from: "2026-12-24 00:00", to: "2026-12-26 00:00", add: true}]
        policies: [{name: default, steps: [{notify: [schedule primary]}, {after: 5m, notify: [person ada, channel c]}], repeat: 2}]
        audiences: [{name: b, channel: c, when: [impact], services: [registrar]}]
        alerts: {cpu: off, memory: {raise: 80%, clear: 70%}, host: {disk: {raise: 95%}}}
        public_url: https://oakum.example.org
        network: {allow: [10.0.0.0/8, mail.internal]}
        """

    @Test func `damaged configurations never end the program`() async throws {
        let whole = Array((Self.text + "\n" + oneService).utf8)
        #expect(problem(Self.text) == nil, "\(problem(Self.text) ?? "")")
        try await forAll(seeds: 400) { generator in
            let text = String(decoding: generator.damaged(whole), as: UTF8.self)
            if let told = problem(text, services: "") { #expect(!told.isEmpty) }
        }
    }

    @Test func `words in wrong places never end the program`() async throws {
        let words = Self.text.split { " :,[]{}\"\n".contains($0) }.map(String.init)
        try await forAll(seeds: 400) { generator in
            var text = Self.text
            for _ in 0..<generator.int(1...3) {
                guard let old = generator.pick(words),
                    let new = generator.pick(words + ["", "-1", "1e99", "~", "[]", "{}"]),
                    let place = text.ranges(of: old).randomElement(using: &generator)
                else { continue }
                text.replaceSubrange(place, with: new)
            }
            if let told = problem(text) { #expect(told.contains("line") || told.contains("YAML"), "\(told)") }
        }
    }
}
