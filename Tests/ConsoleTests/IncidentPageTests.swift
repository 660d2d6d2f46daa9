import Foundation
import OakumAPI
import OakumHTTP
import OakumModel
import OakumTestKit
import Outbound
import ServiceLifecycle
import Testing

extension RunningServers {
    /// The pages about incidents.
    @Suite(.timeLimit(.minutes(10)))
    struct IncidentPageTests {
        private let client = OutboundClient()

        private func ask(
            _ console: Console, _ path: String, _ method: String = "GET", _ headers: [(String, String)] = [],
            body: String = ""
        ) async throws -> OutboundResponse {
            try await client.send(
                .init(
                    method: method, target: .url("http://127.0.0.1:\(console.port)\(path)"), headers: headers,
                    body: Array(body.utf8), timeoutSeconds: 40))
        }

        private func text(_ response: OutboundResponse) -> String { String(decoding: response.body, as: UTF8.self) }

        @Test func `the page of an incident says everything without a script`() async throws {
            let guarded = try await GuardedParts(roles: [.intake])
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                let response = try await ask(console, "/incidents/2")
                let page = text(response)
                #expect(response.status == 200)
                for expected in [
                    IncidentSamples.leakTitle, "Critical", "Open", "registrar", "day and night",
                    "https://runbooks.example.org/leaks", "it bought 31", "Detected 17 s before users noticed",
                    "95\u{A0}s", "VerificationContext.init (verification.swift:41)", "PendingRegistrations.shared",
                    "memory came first", "93\u{A0}%", "CPU rose 4", "disk: 54", "A restart now would buy 5 min",
                    "cannot allocate", "registrar 1.4.2 at 09:12", "recycled before the limit", "sign-ups", "205",
                    "412",
                    "−50\u{A0}%", "the same hour of 5 earlier days", "looking at it", "by ada", "250 2.0.0 queued",
                    "503 Service Unavailable", "3 attempts", "a symptom of the cause", "3 were told in all",
                    "<polyline class=\"plot-line\"", "Acknowledge #2</button>", "Came back",
                    "href=\"/heap?service=registrar&amp;worker=7\"",
                ] {
                    #expect(page.contains(expected), "\(expected)")
                }
                #expect(!page.contains(" style=") && !page.contains(" onclick"))
            }
        }

        @Test func `lists and the on-call page say who waits for whom`() async throws {
            let guarded = try await GuardedParts(roles: [.intake])
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                let list = text(try await ask(console, "/incidents"))
                #expect(list.contains("One incident waits for somebody.") && list.contains("catalogue: latency"))
                let open = text(try await ask(console, "/incidents?state=open,acknowledged,mitigated"))
                #expect(!open.contains("catalogue: latency"))
                let onCall = text(try await ask(console, "/on-call"))
                for expected in ["On call now: ada", "grace has one way", "after 5 min", "Send a test page", "primary"]
                {
                    #expect(onCall.contains(expected), "\(expected)")
                }
                let overview = text(try await ask(console, "/"))
                #expect(overview.contains("id=\"open-incidents\" data-count=\"1\">"))
            }
            try await withConsole(FakeControlPlane()) { console, _ in
                let overview = text(try await ask(console, "/"))
                #expect(!overview.contains("/incidents"))
                #expect(try await ask(console, "/incidents", "GET", [("Accept", "text/html")]).status == 404)
            }
        }

        @Test func `names from outside cannot become markup`() async throws {
            let evil = "\"><script>alert('x')</script><img src=x onerror=alert(1)>\u{0}"
            var state = IncidentSamples.state()
            state.incidents[2]?.incident.title = evil
            state.incidents[2]?.incident.service = evil
            state.incidents[2]?.incident.runbook = "javascript:alert(1)"
            state.incidents[2]?.incident.evidence.logs = [evil]
            state.incidents[2]?.incident.evidence.heap[0].chain = [evil]
            state.incidents[2]?.incident.evidence.cause?.ranked[0].sentence = evil
            state.incidents[2]?.incident.impact[0].what = evil
            state.incidents[2]?.timeline[0].text = evil
            state.incidents[2]?.timeline[0].by = evil
            state.incidents[2]?.deliveries[0].words = evil
            state.onCall.problems = [evil]
            state.onCall.schedules[0].now = evil
            state.onCall.policies[0].steps[0].targets = [evil]
            let guarded = try await GuardedParts(state, roles: [])
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                for path in [
                    "/incidents", "/incidents/2", "/on-call", "/login?next=%22%3E%3Cscript%3E",
                    "/incidents/2?did=%3Cb%3E",
                ] {
                    let page = text(try await ask(console, path))
                    #expect(!page.contains("<script>") && !page.contains("<img") && !page.contains("\u{0}"), "\(path)")
                    #expect(!page.contains("href=\"javascript:") && !page.contains("<b>\""), "\(path)")
                }
            }
        }

        @Test func `forms act, and readers see none`() async throws {
            let guarded = try await GuardedParts()
            try await withConsole(FakeControlPlane(), parts: guarded.parts) { console, _ in
                let reader = text(try await ask(console, "/incidents/2", "GET", [try guarded.bearer(.reader)]))
                #expect(reader.contains(IncidentSamples.leakTitle) && !reader.contains("<button"))
                let headers = [
                    try guarded.bearer(.responder), ("Content-Type", "application/x-www-form-urlencoded"),
                ]
                for (path, body) in [
                    ("/incidents/2/note", "text=looking+%26+finding"),
                    ("/incidents/2/silence", "seconds=3600&reason=known"),
                    ("/silences/1/end", ""), ("/on-call/check", "person="), ("/incidents/2/resolve", "note="),
                    ("/incidents", "title=slow&service=&severity=warning&details="),
                ] {
                    let answer = try await ask(console, path, "POST", headers, body: body)
                    #expect(answer.status == 303, "\(path): \(answer.status)")
                    #expect(answer.header("Location")?.hasSuffix("?did=done") == true)
                }
                for (path, body) in [
                    ("/incidents/2/note", "text=+"), ("/incidents/2/silence", "seconds=1&reason=x"),
                    ("/incidents", "title="), ("/incidents", "title=x&severity=loud"),
                ] {
                    let answer = try await ask(console, path, "POST", headers + [("Accept", "text/html")], body: body)
                    #expect(answer.status == 400 && text(answer).contains("That did not work."), "\(path)")
                }
            }
            #expect(
                guarded.plane.acts.map(\.act) == [
                    .note(2, "looking & finding"), .silence(2, seconds: 3_600, reason: "known"), .endSilence(1),
                    .check(person: nil), .resolve(2, nil),
                    .open(title: "slow", service: nil, severity: .warning, details: nil),
                ])
            #expect(guarded.plane.acts.allSatisfy { $0.by == "responder-person" })
        }
    }

    @Suite(.serialized, .timeLimit(.minutes(10)), .enabled(if: Browser.executable != nil))
    struct IncidentBrowserTests {
        private static let keep = ProcessInfo.processInfo.environment["OAKUM_SCREENSHOTS"]

        private func withPage(
            _ parts: ResponseParts, _ body: (BrowserPage, _ url: String) async throws -> Void
        ) async throws {
            try await withConsole(FakeControlPlane(), interval: .milliseconds(200), parts: parts) { console, _ in
                try await Browser.withRunning { browser in
                    try await body(try await BrowserPage.open(browser), console.url)
                }
            }
        }

        private func keep(_ name: String, _ page: BrowserPage) async throws {
            guard let folder = Self.keep else { return }
            try await page.screenshot(fullPage: true).write(to: URL(fileURLWithPath: "\(folder)/\(name).png"))
        }

        private static let fits = "document.documentElement.scrollWidth <= innerWidth"

        @Test(arguments: ["light", "dark"])
        func `an incident is read, acknowledged by a button, and follows what happens`(_ scheme: String) async throws {
            let guarded = try await GuardedParts(roles: [])
            try await withPage(guarded.parts) { page, url in
                try await page.colourScheme(scheme)
                try await page.size(1280, 900)
                try await page.navigate(url + "incidents/2")
                try await eventually("the page", within: Browser.patience) {
                    try await page.holds(
                        "document.querySelector('.plot-line') && !document.querySelector('main time').textContent.includes('UTC')"
                    )
                }
                #expect(try await page.holds(Self.fits))
                try await keep("incident-\(scheme)", page)
                try await page.evaluateButton("Acknowledge #2")
                try await eventually("it is acknowledged", within: Browser.patience) {
                    try await page.holds(
                        "location.search === '?did=done' && document.querySelector('.chip[data-state=acknowledged]')")
                }
                _ = try await guarded.plane.act(.note(2, "told by somebody else"), by: "grace")
                try await eventually("the note arrives by itself", within: Browser.patience) {
                    try await page.holds(
                        "document.getElementById('live-side').textContent.includes('told by somebody else')")
                }
                try await page.size(420, 900)
                #expect(try await page.holds(Self.fits))
                try await keep("incident-narrow-\(scheme)", page)
                for path in ["incidents", "on-call", "login"] {
                    try await page.navigate(url + path)
                    try await eventually("\(path)", within: Browser.patience) {
                        try await page.holds("document.readyState === 'complete' && location.pathname === '/\(path)'")
                    }
                    #expect(try await page.holds(Self.fits), "\(path)")
                    try await keep("\(path)-\(scheme)", page)
                }
                #expect(page.browser.complaints == [])
            }
        }

        @Test func `somebody signs in with a token, acts, and signs out`() async throws {
            let guarded = try await GuardedParts()
            try await withPage(guarded.parts) { page, url in
                try await page.navigate(url + "incidents/2")
                try await eventually("the sign-in page", within: Browser.patience) {
                    try await page.holds(
                        "location.pathname === '/login' && document.querySelector('input[name=token]')")
                }
                let token = try guarded.token(.responder)
                _ = try await page.evaluate("document.querySelector('input[name=token]').value = '\(token)'")
                try await page.evaluateButton("Sign in")
                try await eventually("the page asked for", within: Browser.patience) {
                    try await page.holds("location.pathname === '/incidents/2' && document.readyState === 'complete'")
                }
                #expect(try await page.holds("!document.cookie.includes('oakum')"))
                try await page.evaluateButton("Acknowledge #2")
                try await eventually("it is acknowledged", within: Browser.patience) {
                    try await page.holds("document.body?.textContent.includes('by responder-person')")
                }
                try await page.evaluateButton("Sign out")
                try await eventually("signed out", within: Browser.patience) {
                    try await page.holds("location.pathname === '/login'")
                }
                #expect(page.browser.complaints == [])
            }
            #expect(guarded.plane.acts.map(\.by) == ["responder-person"])
        }
    }
}

extension BrowserPage {
    fileprivate func evaluateButton(_ text: String) async throws {
        _ = try await evaluate(
            "[...document.querySelectorAll('button')].find((one) => one.textContent.trim() === '\(text)').click()")
    }
}
