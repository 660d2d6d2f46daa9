import Foundation
import Notify
import OakumModel
import OakumTestKit
import Outbound
import Spawning
import Testing

enum RealServers {
    static let exim = "/usr/sbin/exim4"
    static var arePresent: Bool { access(exim, X_OK) == 0 && access("/usr/bin/openssl", X_OK) == 0 }
}

/// Real peers: Debian's Exim takes a mail over STARTTLS with a login and files it; OpenSSL's server shows a certificate
/// that nobody has signed.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: RealServers.arePresent, "needs exim4 and openssl"))
struct RealServerTests {
    static let exim = RealServers.exim
    static let password = "T0PSECRETPASSWORD"

    @Test func `a real mail server files the page`() async throws {
        try await withTemporaryFolder { folder in
            try await makeCertificate(folder)
            try await withExim(folder) { port in
                let notifier = try notifier(port, trusted: folder.file("cert.pem"))
                let answer = await notifier.send(Samples.page(title: "registrar: Speicherleck wächst"))
                guard case .delivered(let receipt) = answer else { throw TestKitError("\(answer)\n\(log(folder))") }
                #expect(receipt.hasPrefix("250 OK id="))
                let later = Samples.page(id: "pg_0002", kind: .resolved, beginsThread: false)
                guard case .delivered = await notifier.send(later) else { throw TestKitError(log(folder)) }
                let stored = try await eventually("two stored mails") {
                    let mails = self.stored(folder)
                    return mails.count == 2 ? mails : nil
                }
                let first = try #require(stored.first { $0["Message-ID"] == "<pg_0001@oakum.example.org>" })
                let second = try #require(stored.first { $0["Message-ID"] == "<pg_0002@oakum.example.org>" })
                #expect(first["From"] == "\"Oakum\" <oakum@example.org>")
                #expect(first["To"] == "\"Ann Example\" <ann@example.org>")
                #expect(ParsedMail.decodedWords(first["Subject"] ?? "") == "registrar: Speicherleck wächst")
                #expect(first["Auto-Submitted"] == "auto-generated")
                #expect(first["Return-path"] == "<oakum@example.org>")
                // "esmtpsa": over TLS and with a login.
                #expect(first["Received"]?.contains("with esmtpsa") == true, "\(first["Received"] ?? "")")
                #expect(first["Received"]?.contains("helo=oakum.example.org") == true)
                #expect(second["In-Reply-To"] == first["References"])
                for content in Samples.contents.dropFirst() {
                    #expect(first.parts[0].text.contains(content), "\(content)")
                }
            }
        }
    }

    @Test func `a real mail server's refusals are understood`() async throws {
        try await withTemporaryFolder { folder in
            try await makeCertificate(folder)
            try await withExim(folder) { port in
                let trusted = folder.file("cert.pem")
                let stranger = await (try notifier(port, trusted: trusted)).send(
                    Samples.page(address: "a@elsewhere.test"))
                guard case .refused(let words) = stranger else { throw TestKitError("\(stranger)") }
                #expect(words.contains("550"))
                let wrong = await (try notifier(port, trusted: trusted, password: "wrong-password")).send(
                    Samples.page())
                guard case .refused(let login) = wrong else { throw TestKitError("\(wrong)") }
                #expect(login.contains("535"), "\(login)")
                // Its certificate is nobody's: nothing is sent, and it may be put right.
                let unknown = await (try notifier(port, trusted: nil)).send(Samples.page())
                guard case .again(nil, let tls) = unknown else { throw TestKitError("\(unknown)") }
                #expect(tls.lowercased().contains("certificate"), "\(tls)")
                for text in [words, login, tls] { #expect(!text.contains(Self.password)) }
                #expect(stored(folder).isEmpty)
            }
        }
    }

    @Test func `a certificate nobody knows is a failure, one that is trusted is not`() async throws {
        try await withTemporaryFolder { folder in
            try await makeCertificate(folder)
            let arguments = [
                "s_server", "-accept", "127.0.0.1:0", "-cert", folder.file("cert.pem"), "-key", folder.file("key.pem"),
                "-www",
            ]
            try await withProcess("/usr/bin/openssl", arguments) { process in
                let line = try await process.line(containing: "ACCEPT 127.0.0.1:")
                let port = try #require(line.split(separator: ":").last.flatMap { Int($0) })
                let client = OutboundClient()
                var request = OutboundRequest(target: .url("https://localhost:\(port)/"))
                request.network = NetworkPolicy(allow: [.host("localhost")])
                request.trustedCertificates = folder.file("cert.pem")
                #expect(try await client.send(request).status == 200)
                for kind in HTTPKind.allCases {
                    var channel = try Samples.channel(kind.settings("https://localhost:\(port)"))
                    channel.network = NetworkPolicy(allow: [.host("localhost")])
                    let answer = await (try Samples.notifier(channel)).send(Samples.page())
                    guard case .again(nil, let words) = answer else { throw TestKitError("\(answer)") }
                    #expect(words.lowercased().contains("certificate"), "\(words)")
                    #expect(!words.contains("T0PSECRET"))
                }
            }
        }
    }

    // MARK: -

    private func notifier(_ port: Int, trusted: String?, password: String = password) throws -> Notifier {
        try Samples.notifier(
            ChannelSettings(
                name: "main",
                kind: .mail(
                    MailSettings(
                        host: "localhost", port: port, user: "oakum", password: Secret(password),
                        sender: "oakum@example.org", recipients: ["ann@example.org"],
                        messageHost: "oakum.example.org")),
                network: NetworkPolicy(allow: [.host("localhost")]), trustedCertificates: trusted))
    }

    /// Self-signed, for localhost.
    private func makeCertificate(_ folder: TemporaryFolder) async throws {
        let arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", folder.file("key.pem"), "-out",
            folder.file("cert.pem"),
        ]
        try await withProcess("/usr/bin/openssl", arguments) { process in
            let exit = try await process.waitForExit()
            #expect(exit == .code(0), "\(process.output())")
        }
    }

    private func withExim(_ folder: TemporaryFolder, _ body: (Int) async throws -> Void) async throws {
        // Exim cannot be told to choose a port, so one that was free a moment ago is taken.
        let probe = try SocketServer { _ in }
        let port = Int(probe.port)
        probe.stop()
        // As root Exim works as another user, who has to reach its folders.
        let isRoot = getuid() == 0
        for name in ["spool", "log", "mail"] { mkdir(folder.file(name), 0o777) }
        if isRoot {
            for path in [folder.path, folder.file("spool"), folder.file("log"), folder.file("mail")] {
                chmod(path, 0o777)
            }
            chmod(folder.file("key.pem"), 0o644)
        }
        try writeText(configuration(folder, isRoot: isRoot), folder.file("exim.conf"))
        chmod(folder.file("exim.conf"), 0o644)
        let arguments = ["-C", folder.file("exim.conf"), "-bdf", "-oX", "127.0.0.1.\(port)"]
        try await withProcess(Self.exim, arguments) { process in
            try await eventually("exim to listen") {
                if let exit = process.exitNow() { throw TestKitError("\(exit): \(process.output()) \(log(folder))") }
                return answers(port)
            }
            try await body(port)
        }
    }

    private func configuration(_ folder: TemporaryFolder, isRoot: Bool) -> String {
        """
        primary_hostname = mail.example.org
        spool_directory = \(folder.file("spool"))
        log_file_path = \(folder.file("log/%slog"))
        pid_file_path = \(folder.file("exim.pid"))
        exim_user = \(isRoot ? "mail" : String(getuid()))
        exim_group = \(isRoot ? "mail" : String(getgid()))
        keep_environment =
        add_environment = PATH=/usr/bin:/bin
        host_lookup =
        rfc1413_query_timeout = 0s
        tls_advertise_hosts = *
        tls_certificate = \(folder.file("cert.pem"))
        tls_privatekey = \(folder.file("key.pem"))
        acl_smtp_rcpt = check_recipient
        acl_smtp_data = accept
        begin acl
        check_recipient:
          deny message = log in first
               !authenticated = *
          deny message = no relaying
               !domains = example.org
          accept
        begin routers
        all:
          driver = accept
          domains = example.org
          transport = store
        begin transports
        store:
          driver = appendfile
          maildir_format
          create_directory
          directory = \(folder.file("mail/box"))
          return_path_add
          user = \(isRoot ? "mail" : String(getuid()))
          group = \(isRoot ? "mail" : String(getgid()))
        begin authenticators
        plain:
          driver = plaintext
          public_name = PLAIN
          server_prompts = :
          server_advertise_condition = ${if def:tls_in_cipher}
          server_condition = ${if and{{eq{$auth2}{oakum}}{eq{$auth3}{\(Self.password)}}}}
          server_set_id = $auth2

        """
    }

    private func answers(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// Mails in the maildir, taken apart; a mail that is just being written is not there yet.
    private func stored(_ folder: TemporaryFolder) -> [ParsedMail] {
        let box = folder.file("mail/box/new")
        // The folder is made with the first mail.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: box)) ?? []
        return names.compactMap { name in
            do {
                return try ParsedMail(try readText("\(box)/\(name)").replacing("\n", with: "\r\n"))
            } catch {
                Issue.record(error)
                return nil
            }
        }
    }

    private func log(_ folder: TemporaryFolder) -> String {
        ["main", "reject", "panic"].map { name in
            // A log that was never written to is not there.
            (try? readText(folder.file("log/\(name)log"))) ?? ""
        }.joined()
    }
}
