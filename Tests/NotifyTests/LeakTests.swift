import LeakTesting
import Notify
import OakumModel
import OakumTestKit
import Outbound
import Testing

/// Pages are sent for as long as Oakum lives. Threads do the work, so it is the process that must not grow.
@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(5)))
struct LeakTests {
    @Test(arguments: HTTPKind.allCases)
    func `pages over HTTP leave nothing behind, those that fail neither`(kind: HTTPKind) async throws {
        let receiver = try HTTPReceiver { $0.text.contains("pg_bad") ? .status(503, body: "busy") : kind.good }
        let client = OutboundClient()
        defer {
            client.shutdown()
            receiver.stop()
        }
        let notifier = try Samples.notifier(try Samples.channel(kind.settings(receiver.url)), client: client)
        var number = 0
        await expectNoGrowth(of: .process, calls: 8, warmUp: 12) {
            number += 1
            _ = await notifier.send(Samples.page(id: number % 4 == 0 ? "pg_bad\(number)" : "pg_\(number)"))
            receiver.requests.forget()
        }
        #expect(receiver.connections >= number, "every page went out")
    }

    @Test func `mails leave nothing behind`() async throws {
        let catcher = try MailCatcher()
        let client = OutboundClient()
        defer {
            client.shutdown()
            catcher.stop()
        }
        let mail = MailSettings(
            host: "127.0.0.1", port: catcher.port, security: .none, sender: "oakum@example.org",
            recipients: ["team@example.org"])
        let notifier = try Samples.notifier(try Samples.channel(.mail(mail)), client: client)
        await expectNoGrowth(of: .process, calls: 8, warmUp: 12) {
            let answer = await notifier.send(Samples.page())
            #expect(answer == .delivered(receipt: "250 queued as 4711"))
            catcher.accepted.forget()
            catcher.received.forget()
        }
    }

    @Test func `pages to a file and to the console leave nothing behind`() async throws {
        try await withTemporaryFolder { folder in
            let notifier = try Samples.notifier(
                ChannelSettings(name: "file", kind: .file(FileSettings(path: folder.file("pages"), limitBytes: 0))),
                ChannelSettings(name: "console", kind: .console))
            await expectNoGrowth(calls: 30) {
                _ = await notifier.send(Samples.page("file"))
                _ = await notifier.send(Samples.page("console"))
                _ = await notifier.send(Samples.page("nowhere"))
            }
        }
    }

    @Test func `a notifier goes away, and its client with its thread`() async throws {
        let receiver = try HTTPReceiver { _ in .status(204) }
        defer { receiver.stop() }
        let settings = try Samples.channel(HTTPKind.webhook.settings(receiver.url))
        try await expectDeallocated {
            let client = OutboundClient()
            let notifier = try Samples.notifier(settings, client: client)
            _ = await notifier.send(Samples.page())
            client.shutdown()
            return (notifier, client)
        }
    }
}
