import Glibc

exit(KeeperProgram.run(CommandLine.arguments))
