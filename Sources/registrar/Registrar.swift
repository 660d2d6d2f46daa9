import ArgumentParser
import RegistrarProgram

@main
struct Registrar: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registrar",
        abstract: "A user-registration web service: sign-up, login and session check over HTTP.",
        discussion: """
            Takes its sockets from its parent when that passes any (systemd socket activation: LISTEN_FDS with the names \
            http and admin), otherwise opens its own. Several processes may share one database file.

            Examples:
              registrar
              registrar --database /var/lib/registrar/a.sqlite --listen [::1]:8080
              registrar --listen 127.0.0.1:0 --admin unix:/run/registrar/admin
              registrar --hash-memory 46MiB --hash-passes 1 --hash-wait 1s

              curl -i http://127.0.0.1:8080/v1/signup \\
                -H 'Content-Type: application/json' \\
                -d '{"email":"ada@example.org","password":"correct horse battery"}'
            """)

    @OptionGroup var options: RegistrarOptions

    func run() async throws {
        try await RegistrarProgram(options: options, name: "registrar").run()
    }
}
