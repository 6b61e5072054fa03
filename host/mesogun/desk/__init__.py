"""What the person who treats is asked, told and shown, whatever the screen: terminal or console."""
