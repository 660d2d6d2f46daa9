import ArgumentParser
import OakumAPI
import OakumModel
import OakumRemote

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Makes, lists and revokes the tokens that let people and programs in over the console's address.",
        discussion: """
            As long as there is no token for people, the console on this machine may be read by everybody on it. The first one \
            closes it: from then on people sign in with theirs.
            """,
        subcommands: [CreateToken.self, ListTokens.self, RevokeToken.self])
}

private struct CreateToken: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Makes a token and prints it, this once.",
        discussion: """
            Examples:
              oakum token create ada --role responder -c oakum.yaml
              oakum token create alertmanager --role intake --service web --days 365

            Roles: intake (hand alerts in), reader (look), responder (act on incidents), admin (make tokens as well).
            """)

    @Argument(help: "Whose it is: acts are told under this name.") var name: String
    @Option(help: "intake, reader, responder or admin.") var role: String
    @Option(help: "For intake: the service meant where an alert names none.") var service: String?
    @Option(help: "Days it lives, at most 366.") var days: Double = 90
    @OptionGroup var state: StateOptions
    @Flag(help: "Print it as JSON.") var json = false

    func validate() throws {
        guard AccessRole(rawValue: role) != nil else {
            throw ValidationError("--role takes \(AccessRole.allCases.map(\.rawValue).joined(separator: ", "))")
        }
    }

    func run() async throws {
        try await reportingFailures {
            guard let role = AccessRole(rawValue: role) else { return }
            let request = TokenRequest(name: name, role: role, service: service, expiresSeconds: days * 86_400)
            let grant = try await state.accessPlane().createToken(request, by: "")
            guard !json else { return try Terminal.json(grant) }
            Terminal.note(
                "\(grant.summary.id): \(role.rawValue) for \(name), until \(Clock.time(grant.summary.expires)). "
                    + "It is shown this once:")
            Terminal.line(grant.token)
        }
    }
}

private struct ListTokens: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists tokens, without their text.")

    @OptionGroup var state: StateOptions
    @Flag(help: "Print the JSON of GET /api/v1/tokens.") var json = false

    func run() async throws {
        try await reportingFailures {
            let tokens = try await state.accessPlane().tokens()
            guard !json else { return try Terminal.json(tokens) }
            let rows = tokens.map { token in
                [
                    token.id, token.name, token.role.rawValue, token.service ?? "–", Clock.time(token.expires),
                    token.lastUsed.map { Clock.time($0) } ?? "not since oakum started",
                ]
            }
            Terminal.table(["ID", "NAME", "ROLE", "SERVICE", "EXPIRES", "LAST USED"], rows, indent: "")
        }
    }
}

private struct RevokeToken: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Takes a token back; its sessions end at once.")

    @Argument(help: "Its id, as `oakum token list` shows it.") var id: String
    @OptionGroup var state: StateOptions
    @Flag(help: "Print it as JSON.") var json = false

    func run() async throws {
        try await reportingFailures {
            let summary = try await state.accessPlane().revokeToken(id, by: "")
            json
                ? try Terminal.json(summary)
                : Terminal.line("\(summary.id) of \(summary.name) (\(summary.role.rawValue)) is revoked")
        }
    }
}

extension StateOptions {
    fileprivate func accessPlane() throws -> any AccessPlane {
        RemoteAccessPlane(socketPath: try folder() + "/oakum.sock")
    }
}
