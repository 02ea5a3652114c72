import ArgumentParser
import Commands

// The launcher has found LibTorch; the commands are the same, and those that work with tensors are carried out here.
WidthTransferCommand.main { command in
  if let work = command as? any EngineWork { try work.perform() } else { try command.run() }
}
