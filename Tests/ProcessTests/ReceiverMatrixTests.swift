import Foundation
import OakumAPI
import OakumModel
import OakumRemote
import OakumTestKit
import Outbound
import Testing

/// What a real `oakum up` makes of receivers of every kind: which pages are tried again, which become dead letters, and that the
/// next step of the policy then comes at once. `ReceiverRow` is the table.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(5)))
struct ReceiverMatrixTests {
    @Test func `every page is delivered, tried again, or makes the next step due, as its receiver answers`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let board = try ReceiverBoard(ReceiverRow.patient + ReceiverRow.final)
            defer { board.stop() }
            // What a server says that speaks no TLS.
            let plain = try SocketServer { $0.write("HTTP/1.1 400 Bad Request\r\n\r\n") }
            defer { plain.stop() }
            try await withOakum(configuration(folder, board.port, plain: plain.port), in: folder) { oakum in
                let intake = try await oakum.intake()
                _ = try await oakum.allServing(1)
                let before = try residentBytes(of: oakum.process.pid)
                let patient = try await tell(intake, "patient", dedup: "1", service: "registrar")
                let final = try await tell(intake, "final", dedup: "2")
                try await checkPatient(patient, oakum, board)
                try await checkFinal(final, oakum, board)
                // Whoever answered 410 is not asked again: its step fails without a request.
                let again = try await tell(intake, "again", dedup: "3")
                _ = try await oakum.incident(again, "the last step of another incident") {
                    $0.deliveries.contains { $0.page.channel == "good" && $0.state == .delivered }
                }
                #expect(board.attempts(of: "s410").count == 1)
                #expect(board.attempts(of: "s400").count == 2)
                // Nobody follows a redirect, and nothing came to where nothing was to go.
                let known = Set((ReceiverRow.patient + ReceiverRow.final).filter { $0.url == nil }.map(\.name))
                #expect(board.asked == known)
                let growth = try residentBytes(of: oakum.process.pid) - before
                #expect(Sanitizer.isOn || growth < 32 << 20, "300 MB were offered, and \(growth) bytes kept")
                #expect(oakum.complaints.isEmpty, "\(oakum.complaints)")
            }
        }
    }

    /// All of its receivers are told in one step, so none waits for another.
    private func checkPatient(_ id: Int64, _ oakum: OakumUnderTest, _ board: ReceiverBoard) async throws {
        let waiting = ReceiverRow.patient.count { if case .tried = $0.fate { true } else { false } }
        let report = try await oakum.incident(id, "all but \(waiting) to be delivered") { report in
            report.deliveries.count { $0.state == .delivered } == ReceiverRow.patient.count - waiting
                && report.deliveries.allSatisfy { $0.state == .delivered || $0.attempts >= 2 }
        }
        for row in ReceiverRow.patient {
            let delivery = try #require(report.deliveries.first { $0.page.channel == row.name })
            let attempts = board.attempts(of: row.name)
            switch row.fate {
            case .delivered:
                #expect(attempts.count == 1 && delivery.attempts == 1, "\(row.name): \(delivery)")
            case .retried(let seconds):
                #expect(attempts.count == row.answers.count + 1, "\(row.name)")
                #expect(delivery.attempts == attempts.count, "\(row.name): \(delivery)")
                #expect(Set(attempts.map(\.body)).count == 1 && Set(attempts.map(\.page)).count == 1, "\(row.name)")
                let pause = attempts.count < 2 ? .zero : attempts[0].at.duration(to: attempts[1].at)
                #expect(pause >= .seconds(seconds), "\(row.name) came again after \(pause)")
            case .tried(let words):
                #expect(delivery.state == .waiting && delivery.words?.contains(words) == true, "\(delivery)")
            case .dead, .disabled: Issue.record("\(row.name) does not belong here")
            }
        }
        #expect(!report.timeline.contains { $0.kind == .escalated || $0.kind == .deliveryFailed })
        // Somebody takes it on: what is still tried is of no use any more.
        _ = try await oakum.incidents.act(.acknowledge(id), by: "ada")
        let taken = try await oakum.incident(id, "the rest to be withdrawn") { report in
            !report.deliveries.contains { $0.state == .waiting && $0.page.kind == .opened }
        }
        #expect(taken.deliveries.count { $0.state == .withdrawn } == waiting)
    }

    /// Each of its receivers is a step of its own, the next due in an hour: it comes at once, because nobody was reached.
    private func checkFinal(_ id: Int64, _ oakum: OakumUnderTest, _ board: ReceiverBoard) async throws {
        let report = try await oakum.incident(id, "the last step") { report in
            report.deliveries.contains { $0.page.channel == "good" && $0.state == .delivered }
        }
        #expect(report.deliveries.map(\.page.channel).sorted() == ReceiverRow.final.map(\.name).sorted())
        let dead = ReceiverRow.final.count - 1
        #expect(report.timeline.count { $0.kind == .deliveryFailed } == dead)
        #expect(report.timeline.count { $0.kind == .escalated } == dead)
        for row in ReceiverRow.final {
            let delivery = try #require(report.deliveries.first { $0.page.channel == row.name })
            let attempts = board.attempts(of: row.name)
            #expect(attempts.count == (row.url == nil ? 1 : 0), "\(row.name)")
            switch row.fate {
            case .dead(let words):
                #expect(delivery.state == .dead && delivery.words?.contains(words) == true, "\(delivery)")
            case .disabled:
                #expect(delivery.state == .dead && delivery.words?.contains("no more pages") == true, "\(delivery)")
            default:
                #expect(delivery.state == .delivered && delivery.page.kind == .escalated, "\(delivery)")
            }
        }
    }

    /// One worker, a channel for each row, all patient ones in one step, and a step for each of the others.
    private func configuration(
        _ folder: TemporaryFolder, _ port: UInt16, plain: UInt16
    ) throws -> TestConfiguration {
        var configuration = TestConfiguration()
        configuration.workers = 1
        configuration.policy = "patient"
        let channels = try (ReceiverRow.patient + ReceiverRow.final).map { row in
            let base = (row.url ?? "http://127.0.0.1:PORT").replacingOccurrences(of: "PORT", with: "\(port)")
                .replacingOccurrences(of: "PLAIN", with: "\(plain)")
            let url = "\(base)/\(row.name)"
            guard row.isSlack else {
                return "  - {name: \(row.name), timeout: 1s, webhook: {url: \"\(url)\"}}"
            }
            try url.write(toFile: folder.file(row.name), atomically: true, encoding: .utf8)
            chmod(folder.file(row.name), 0o600)
            return "  - {name: \(row.name), timeout: 1s, slack: {url_file: \"\(folder.file(row.name))\"}}"
        }
        let all = ReceiverRow.patient.map { "channel \($0.name)" }.joined(separator: ", ")
        let steps = ReceiverRow.final.enumerated().map {
            "{after: \($0 == 0 ? "0s" : "1h"), notify: [channel \($1.name)]}"
        }
        configuration.more = """
            intake: {listen: "127.0.0.1:0"}
            network: {allow: [127.0.0.1]}
            channels:
            \(channels.joined(separator: "\n"))
            policies:
              - {name: patient, steps: [{notify: [\(all)]}]}
              - {name: default, steps: [\(steps.joined(separator: ", "))]}
            """
        return configuration
    }

    /// From statm(5).
    private func residentBytes(of pid: Int32) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8)
        let pages = try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
